// `npm run bench:peers`: this package, ONNX Runtime and PyTorch with the same net, weights and pictures on the same
// device, side by side. Their outputs are compared first. Then they take turns, a round each, so that whatever else the
// machine does hits all alike. tfjs takes no part: its WebAssembly backend has no local response normalization.
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {quartiles} from '../../benchmarks/timing.ts';
import {randomBytes, randomLabels} from '../../benchmarks/random-inputs.ts';
import {AlexNet, exportOnnx, listDevices} from '../../lib/index.ts';
import {centres} from '../../test/helpers/planes.ts';
import {MissingPeer, PeerProcess} from './peer-process.ts';
import {files, works, type Job, type Work} from './work.ts';

const classes = 1000;
/** Calls that are not counted: primitives are made, memory is taken. */
const warmUps = 2;

const {values: given} = parseArgs({
	options: {
		device: {type: 'string', default: 'cpu'},
		precision: {type: 'string', default: 'fp32'},
		'batch-size': {type: 'string', default: '32'},
		threads: {type: 'string'},
		rounds: {type: 'string', default: '7'},
		work: {type: 'string', multiple: true, default: [...works]},
		python: {type: 'string', default: 'python3'},
		json: {type: 'boolean', default: false},
	},
});
const {device, precision, python} = given;
if (precision !== 'fp32' && precision !== 'bf16') throw new Error('--precision is fp32 or bf16.');
const [batchSize, rounds] = [Number(given['batch-size']), Number(given.rounds)];
const threads = Number(given.threads ?? listDevices()[0]?.threads ?? 1);
const asked = works.filter((work) => given.work.includes(work));

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const inNode = (name: string): string[] => [process.execPath, '--import=tsx', script(name)];

interface Peer {
	readonly name: string;
	readonly command: readonly string[];
	readonly tuned: boolean;
	readonly takes: (work: Work) => boolean;
}

const always = (): boolean => true;
const forward = (work: Work): boolean => work !== 'train-step';
const peers: readonly Peer[] = [
	{name: 'alexnet-cuda', command: inNode('ours.ts'), tuned: false, takes: always},
	// The npm package has the CPU's kernels in fp32, and no training.
	...(device === 'cpu' && precision === 'fp32'
		? [
				{name: 'ONNX Runtime', command: inNode('onnxruntime.ts'), tuned: false, takes: forward},
				{name: 'ONNX Runtime, tuned', command: inNode('onnxruntime.ts'), tuned: true, takes: forward},
			]
		: []),
	{name: 'PyTorch', command: [python, script('pytorch.py')], tuned: false, takes: always},
	{name: 'PyTorch, tuned', command: [python, script('pytorch.py')], tuned: true, takes: always},
];

interface Row {
	readonly work: Work;
	readonly peer: string;
	readonly version: string;
	readonly settings: string;
	readonly medianMs: number;
	readonly spreadMs: number;
	readonly imagesPerSecond: number;
	/** Of this package's median by this one's: above 1 where the peer is faster. */
	readonly speed: number;
	/** From this package's probabilities, the largest. */
	readonly difference: number;
}

/** Probabilities of different sums in fp32 lie closer together; in bf16 inputs alone are rounded by 2^-9. */
const mostDifference = {fp32: 1e-5, bf16: 2e-2}[precision];

async function prepare(folder: string): Promise<void> {
	await using model = await AlexNet.create({classes, batchSize: 1, inferenceOnly: true, init: 'source2012'});
	const {architecture} = model;
	const {onnx, weights, bytes, planes, labels} = files(folder);
	await model.save(weights, {momentum: false});
	await exportOnnx(model, onnx);
	const pictures = randomBytes(batchSize * architecture.imageSize ** 2 * 3, 1);
	await writeFile(bytes, pictures);
	await writeFile(planes, new Uint8Array(centres(architecture, pictures).buffer));
	await writeFile(labels, new Uint8Array(randomLabels(batchSize, classes, 1).buffer));
}

async function compare(work: Work, folder: string): Promise<Row[]> {
	const started: {peer: Peer; process_: PeerProcess; outputs: readonly number[]; times: number[]}[] = [];
	for (const peer of peers.filter(({takes}) => takes(work))) {
		const job: Job = {
			folder,
			batchSize,
			threads,
			device,
			precision: precision as Job['precision'],
			tuned: peer.tuned,
			work,
		};
		try {
			const process_ = await PeerProcess.start(peer.command, job);
			started.push({peer, process_, outputs: await process_.outputs(), times: []});
			await process_.times(warmUps);
		} catch (error) {
			if (!(error instanceof MissingPeer)) throw error;
			console.error(`${peer.name} takes no part: ${error.message}`);
		}
	}
	const own = started[0]?.outputs ?? [];
	const calls = work === 'inference-1' ? 10 : 1;
	for (let round = 0; round < rounds; ++round) {
		for (let place = 0; place < started.length; ++place) {
			const one = started[(place + round) % started.length];
			one?.times.push(...(await one.process_.times(calls)));
		}
	}
	for (const {process_} of started) await process_.end();
	const best = quartiles(started[0]?.times ?? []).median;
	return started.map(({peer, process_: {version, settings}, outputs, times}): Row => {
		const {lower, median, upper} = quartiles(times);
		const difference = own.reduce((most, value, index) => Math.max(most, Math.abs(value - (outputs[index] ?? NaN))), 0);
		const pictures = work === 'inference-1' ? 1 : batchSize;
		return {
			...{work, peer: peer.name, version, settings, medianMs: median, spreadMs: upper - lower},
			...{imagesPerSecond: (1000 * pictures) / median, speed: best / median, difference},
		};
	});
}

const folder = await mkdtemp(join(tmpdir(), 'alexnet-peers-'));
try {
	await prepare(folder);
	const rows: Row[] = [];
	for (const work of asked) rows.push(...(await compare(work, folder)));
	if (given.json) console.log(JSON.stringify(rows, undefined, '\t'));
	else {
		console.log(
			`On ${device} in ${precision}, batches of ${batchSize}, ${rounds} rounds; median and quartiles' distance.`,
		);
		console.table(
			rows.map(({work, peer, medianMs, spreadMs, imagesPerSecond, speed, difference}) => ({
				...{work, peer, 'median ms': medianMs.toFixed(1), spread: spreadMs.toFixed(1)},
				...{
					'images/s': imagesPerSecond.toFixed(1),
					'times ours': speed.toFixed(2),
					differs: difference.toExponential(0),
				},
			})),
		);
		for (const {peer, version, settings} of rows.filter(({work}) => work === asked[0])) {
			console.log(`${peer} ${version}: ${settings}`);
		}
	}
	const wrong = rows.find(({difference}) => !(difference <= mostDifference));
	if (wrong) throw new Error(`${wrong.peer} computes another net: probabilities differ by ${wrong.difference}.`);
} finally {
	await rm(folder, {recursive: true, force: true});
}
