// What goes wrong on GPUs, for failures.slow.test.ts: prints, as JSON, what each attempt came to.
import {argv, stdout} from 'node:process';
import {openDevice} from '../../lib/device/device.ts';
import {DeviceGroup} from '../../lib/device/device-group.ts';
import {isAlexNetError, type ErrorCode} from '../../lib/base/errors.ts';
import type {NativeDevice} from '../../lib/device/native.ts';
import {operations} from '../../lib/ops.ts';
import {tinyModel, tinyPictures} from '../helpers/networks.ts';

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
	/** Takes all memory but what a transfer needs on its way. */
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
