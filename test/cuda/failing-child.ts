// What goes wrong on GPUs, for failures.slow.test.ts: prints, as JSON, what each attempt came to.
import {argv, stdout} from 'node:process';
import {openDevice} from '../../lib/device/device.ts';
import {DeviceGroup} from '../../lib/device/device-group.ts';
import {isAlexNetError, type ErrorCode} from '../../lib/base/errors.ts';
import type {NativeDevice} from '../../lib/device/native-device.ts';
import type {Tensor} from '../../lib/device/tensor.ts';
import {operations} from '../../lib/ops.ts';
import {train} from '../../lib/training/trainer.ts';
import {markBytes} from './marks.ts';
import {meetingNet, tinyModel, tinyPictures, tinySource} from '../helpers/networks.ts';

/** What an attempt returned, or the error it ended with. */
export interface Outcome {
	result?: unknown;
	code?: ErrorCode;
	message?: string;
}

const outcomes: Outcome[] = [];

async function attempt(work: () => unknown): Promise<void> {
	try {
		outcomes.push({result: await work()});
	} catch (error) {
		if (!isAlexNetError(error)) throw error;
		outcomes.push({code: error.code, message: error.message});
	}
}

/** Fills a tensor of four numbers and reads one of them. */
async function fill(device: NativeDevice, value: number): Promise<number> {
	const tensor = device.allocate([4], 'float32');
	const values = new Float32Array(4);
	operations.fill({output: tensor, value});
	await tensor.read(values);
	return values[3]!;
}

const scenarios: Record<string, (...args: string[]) => Promise<void>> = {
	/** Opens a device, then two as a group. */
	async open(id = '') {
		await attempt(() => openDevice(id).id);
		await attempt(() => new DeviceGroup(['cuda:0', id], 2).ids);
	},
	/** Allocates so many floats, writes them and goes on. */
	async allocate(elements) {
		const device = openDevice('cuda:0');
		await attempt(() => device.allocate([Number(elements)], 'float32').shape);
		await attempt(() => fill(device, 5));
	},
	/** Takes nearly all memory, and fills it. */
	async upload(elements) {
		const device = openDevice('cuda:0');
		const tensor = device.allocate([Number(elements)], 'float32');
		tensor.write(new Float32Array(Number(elements)));
		await attempt(() => device.synchronize());
		tensor.dispose();
		await attempt(() => fill(device, 5));
	},
	/** One operation again and again, then everything else that can be asked of a GPU. */
	async fill() {
		const device = openDevice('cuda:0');
		for (let value = 1; value <= 3; value++) await attempt(() => fill(device, value));
		await attempt(() => device.synchronize());
		await attempt(() => device.allocate([1], 'float32').shape);
		await attempt(() => device.freeBytes() > 0);
		await attempt(() => openDevice('cuda:1').id);
		device.close();
	},
	/** cuda:0's kernel fails while cuda:1 works at something else; then cuda:1 goes on. */
	async apart() {
		const [first, second] = [openDevice('cuda:0'), openDevice('cuda:1')];
		await attempt(() => fill(second, 1));
		await attempt(() => fill(first, 2));
		await attempt(() => fill(second, 3));
		const tensor = second.allocate([1], 'float32');
		tensor.dispose();
		await attempt(() => second.freeBytes() > 0);
		for (const device of [first, second]) device.close();
	},
	/** cuda:0's kernel fails when cuda:1 already waits for what it was to send; neither's error is known before. */
	async stuck() {
		const [first, second] = [openDevice('cuda:0'), openDevice('cuda:1')];
		const [input, output, copy] = [first, second, second].map((device) => device.allocate([4], 'float32')) as [
			Tensor,
			Tensor,
			Tensor,
		];
		operations.fill({output: input, value: 1});
		second.wait(operations.send({input, output}));
		operations.copy({input: output, output: copy});
		await attempt(() => copy.read(new Float32Array(4)));
		await attempt(() => first.synchronize());
		await attempt(() => second.synchronize());
		for (const tensor of [input, output, copy]) tensor.dispose();
		for (const device of [first, second]) device.close();
		await attempt(() => fill(openDevice('cuda:1'), 5));
	},
	/** Operations that need more scratch memory each time. */
	async scratch(...sizes) {
		const device = openDevice('cuda:0');
		const most = Math.max(...sizes.map(Number));
		const tensor = device.allocate([most + 1], 'float32');
		operations.fill({output: tensor, value: 1});
		for (const size of sizes.map(Number)) {
			const [input, output] = [0, 4].map((start) => tensor.view([size], 'float32', start)) as [Tensor, Tensor];
			operations.copy({input, output}); // overlaps, so it goes by scratch memory
			for (const view of [input, output]) view.dispose();
		}
		await attempt(() => device.synchronize());
		device.close();
	},
	/** Two steps of two nets at a time, on a device each. */
	async overlap() {
		const {images, labels} = tinyPictures(4, 'overlap');
		const models = await Promise.all(
			['cuda:0', 'cuda:1'].map((device) => tinyModel({devices: [device], batchSize: 4})),
		);
		await Promise.all(
			models.map(async (model) => {
				for (let step = 0; step < 2; step++) await attempt(async () => (await model.trainStep({images, labels})).loss);
			}),
		);
		await Promise.all(models.map((model) => model.dispose()));
	},
	/** Steps of train(), of batches that are there at once; a mark in the trace for each report. */
	async ahead(...devices) {
		const model = await tinyModel({architecture: meetingNet(), devices, batchSize: 8});
		const {device} = model.parameters[0]!.parts[0]!.memory;
		await attempt(async () => {
			let last = 0;
			for await (const report of train(model, tinySource(32, 'ahead'), {epochs: 1})) {
				last = report.step;
				if (report.type === 'step') device.allocate([markBytes + last], 'uint8').dispose();
			}
			return last;
		});
		await model.dispose();
		outcomes.push({result: model.memory.bytes});
	},
	/** A copy from a device to another, which may be on the same GPU. */
	async copy(from = '', to = '') {
		const [first, second] = [openDevice(from), openDevice(to)];
		const [input, output] = [first.allocate([4], 'float32'), second.allocate([4], 'float32')];
		operations.fill({output: input, value: 7});
		operations.copy({input, output});
		const values = new Float32Array(4);
		await attempt(async () => {
			await output.read(values);
			return [...values];
		});
		outcomes.push({result: [...first.notes, ...second.notes]});
		for (const device of [first, second]) device.close();
	},
	/** Two steps of a net, a column on each of two devices. */
	async train(batchSize = '4') {
		const {images, labels} = tinyPictures(Number(batchSize), 'failures');
		await attempt(async () => {
			await using model = await tinyModel({devices: ['cuda:0', 'cuda:1'], batchSize: Number(batchSize)});
			const step = async (): Promise<boolean> => Number.isFinite((await model.trainStep({images, labels})).loss);
			await attempt(step);
			await attempt(step);
			await model.dispose();
			return model.memory.bytes;
		});
	},
};

const [name = '', ...args] = argv.slice(2);
await scenarios[name]!(...args);
stdout.write(JSON.stringify(outcomes));
