// Models on one and on two devices of each kind that is here: busy ones that are disposed of, memory, the event loop.
import {listDevices, openDevice} from '../../lib/device/device.ts';
import {testOn} from '../helpers/devices.ts';
import {tinyModel, tinyPictures} from '../helpers/networks.ts';
import {isSimulated} from '../helpers/queue-work.ts';

const [gpu, another = gpu] = listDevices().flatMap(({kind, id}) => (kind === 'cuda' ? [id] : []));
const placements = [['cpu:0'], ['cpu:0', 'cpu:1']];
if (gpu !== undefined && another !== undefined) placements.push([gpu], [gpu, another]);

const {images, labels} = tinyPictures(8, 'lifecycle of placements');

/** Bytes that could be allocated on each GPU of a placement. */
function freeBytes(ids: readonly string[]): number[] {
	return ids.map((id) => {
		const device = openDevice(id);
		try {
			return device.freeBytes();
		} finally {
			device.close();
		}
	});
}

for (const devices of placements) {
	const where = `[${devices.join(', ')}]`;

	testOn(devices, `a model that is disposed of while it works, twice, ends and holds nothing ${where}`, async (t) => {
		const model = await tinyModel({devices, batchSize: 8});
		const steps = [1, 2, 3].map(() => model.trainStep({images, labels}));
		const settled = Promise.allSettled(steps);
		await Promise.all([model.dispose(), model.dispose()]);
		await model.dispose();
		t.is(model.memory.bytes, 0);
		for (const step of await settled) t.is(step.status, 'fulfilled', 'dispose() waits for queued work');
		await t.throwsAsync(model.trainStep({images, labels}), {code: 'ALEXNET_DISPOSED'});
	});

	testOn(devices, `the event loop turns while steps run ${where}`, async (t) => {
		// A real GPU is done with a small batch before the loop has turned once.
		const isQuick = devices[0]?.startsWith('cuda') === true && !isSimulated;
		const batch = isQuick ? tinyPictures(4096, 'a step of milliseconds') : {images, labels};
		await using model = await tinyModel({devices, batchSize: batch.labels.length});
		await model.trainStep(batch); // takes the memory
		let [turns, isRunning] = [0, true];
		const turn = (): void => {
			++turns;
			if (isRunning) setImmediate(turn);
		};
		turn();
		const steps = isSimulated ? 2 : 20;
		for (let step = 0; step < steps; ++step) await model.trainStep(batch);
		isRunning = false;
		t.log(`${turns} turns in ${steps} steps`);
		t.true(turns > 20 * steps); // one or two of each step, if steps were waited for
	});

	if (!devices[0]?.startsWith('cuda')) continue;

	testOn(devices, `models that come and go leave the GPU's memory as it was ${where}`, async (t) => {
		let held = 0;
		const cycle = async (): Promise<void> => {
			const model = await tinyModel({devices, batchSize: 8});
			await model.trainStep({images, labels});
			held = model.memory.bytes;
			await model.dispose();
		};
		await cycle(); // the runtime keeps what it took for its kernels
		const before = freeBytes(devices);
		const cycles = isSimulated ? 3 : 100;
		for (let count = 0; count < cycles; ++count) await cycle();
		const after = freeBytes(devices);
		t.log(`${cycles} models of ${held} bytes`);
		for (const [index, bytes] of before.entries()) {
			// To the byte when simulated. A real driver hands out blocks of 2 MiB, and may have begun another meanwhile.
			t.true(bytes - after[index]! <= (isSimulated ? 0 : 2 ** 21), `${bytes - after[index]!} bytes are missing`);
		}
	});
}
