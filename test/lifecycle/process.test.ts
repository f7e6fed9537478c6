// Processes and worker threads that end while their devices work.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';
import {Worker} from 'node:worker_threads';
import {operations} from '../../lib/ops.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {isSimulated, sizeOfWork} from '../helpers/queue-work.ts';

const child = fileURLToPath(new URL('../helpers/lifecycle-child.ts', import.meta.url));

async function runChild(t: {log: (text: string) => void}, scenario: string, id: string) {
	const process_ = spawn(process.execPath, ['--import=tsx', child, scenario, id]);
	let [output, errors] = ['', ''];
	process_.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
	process_.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
	const [code, signal] = (await once(process_, 'close')) as [number | null, string | null];
	if (errors) t.log(errors);
	return {code, signal, errors, milliseconds: Date.now() - Number(output)};
}

// Of an exit several, beside each other: what runs on while static objects go ends some of them with a segmentation fault.
for (const [scenario, code, times] of [
	['exit', 7, 4],
	['end', 0, 1],
	['await', 0, 1],
] as const) {
	forEachDevice(`a process with work queued ends at once: ${scenario}`, async (t, {device}) => {
		const results = await Promise.all(Array.from({length: times}, () => runChild(t, scenario, device.id)));
		for (const result of results) {
			t.like(result, {code, signal: null, errors: ''});
			t.true(result.milliseconds < 5000, `it took ${result.milliseconds} ms`);
		}
	});
}

// In plain JavaScript: a worker does not inherit the loader of TypeScript, and loading it takes longer than the test.
const busyWorker = `
	const {parentPort, workerData} = require('node:worker_threads');
	const addon = require(workerData.addon);
	const device = new addon.Device(workerData.kind, workerData.index);
	const [input, weights, output] = [0, 1, 2].map(() => device.allocate([workerData.size, workerData.size], 'float32'));
	for (const tensor of [input, weights]) addon.normal({output: tensor, seed: 1, stream: 0, deviation: 0.01});
	for (let i = 0; i < 10_000; i++) addon.linear({input, weights, output});
	device.synchronize();
	parentPort.postMessage('busy');
`;

/** The build of the addon that this process has loaded: the environment may have asked for another than the release. */
const addon = Object.keys(createRequire(import.meta.url).cache).find((file) => /\/alexnet[^/]*\.node$/.test(file));

forEachDevice('worker threads are terminated while their devices work', async (t, {device}) => {
	const [kind, index] = device.id.split(':');
	const workerData = {addon, size: sizeOfWork(device.id), kind, index: Number(index)};
	for (let batch = 0; batch < (isSimulated ? 2 : 10); batch++) {
		const workers = [0, 1].map(() => new Worker(busyWorker, {eval: true, workerData}));
		await Promise.all(workers.map((worker) => once(worker, 'message')));
		const codes = await Promise.all(workers.map((worker) => worker.terminate()));
		t.deepEqual(codes, [1, 1], 'the exit code of a terminated worker');
	}
	const tensor = device.allocate([1], 'float32');
	operations.fill({output: tensor, value: 3});
	const values = new Float32Array(1);
	await tensor.read(values);
	t.is(values[0], 3);
});
