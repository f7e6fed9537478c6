// Operations and devices that are wrong on purpose: what a selftest must show to be worth something.
import {openDevice} from '../../lib/device/device.ts';
import type {NativeDevice} from '../../lib/device/native-device.ts';
import type {Operations} from '../../lib/device/operations.ts';
import type {Tensor} from '../../lib/device/tensor.ts';
import {operations} from '../../lib/ops.ts';
import type {CheckedOperation} from '../../lib/selftest/operation-case.ts';
import type {Random} from '../../lib/selftest/random.ts';
import type {TestResult} from '../../lib/selftest/result.ts';
import type {Open} from '../../lib/selftest/tested-device.ts';
import {takeStep} from '../../lib/selftest/training-step.ts';

type Verb = keyof Operations;
type Fields = Record<string, unknown>;

/** The tensors that each operation writes. */
export const outputsOf = {
	augment: ['output'],
	conv2d: ['output'],
	conv2dBackwardInput: ['inputGradient'],
	conv2dBackwardWeights: ['weightGradient', 'biasGradient'],
	linear: ['output'],
	linearBackwardInput: ['inputGradient'],
	linearBackwardWeights: ['weightGradient', 'biasGradient'],
	activate: ['output'],
	activateBackward: ['inputGradient'],
	lrn: ['output'],
	lrnBackward: ['inputGradient'],
	maxPool: ['output'],
	maxPoolBackward: ['inputGradient'],
	lrnMaxPool: ['output'],
	lrnMaxPoolBackward: ['inputGradient'],
	dropout: ['output'],
	softmaxLoss: ['result', 'gradient'],
	softmax: ['probabilities'],
	sgd: ['weights', 'velocity'],
	cast: ['output'],
	copy: ['output'],
	add: ['output'],
	fill: ['output'],
	permute: ['output'],
	normal: ['output'],
} as const satisfies Record<CheckedOperation, readonly string[]>;

export type TestedVerb = keyof typeof outputsOf;
export const testedVerbs = Object.keys(outputsOf) as TestedVerb[];

/** The package's operations, with another in the place of one. */
export function replace<Options = Fields>(
	verb: Verb,
	by: (options: Options, original: (options: Options) => unknown) => unknown,
): Operations {
	const own = operations as unknown as Record<Verb, (options: Options) => unknown>;
	return {...operations, [verb]: (options: Options) => by(options, (given) => own[verb](given))};
}

/** One that writes one element of one of its outputs wrongly. */
export function perturbed(verb: TestedVerb, field: string, random: Random): Operations {
	return replace(verb, (options: Fields, original) => {
		original(options);
		const fields = verb === 'sgd' ? (options.parameters as Fields[])[0]! : options;
		spoil(fields[field] as Tensor, random);
	});
}

/** Changes one element on the device's queue. */
export function spoil(tensor: Tensor, random: Random): void {
	const element = random.integer(tensor.shape.reduce((a, b) => a * b));
	const bytes = {float32: 4, bfloat16: 2, int32: 4, uint8: 1}[tensor.dataType];
	const view = tensor.view([1], tensor.dataType, element * bytes);
	const values = {
		float32: () => Float32Array.of(12_345),
		bfloat16: () => Uint16Array.of(0x4640), // 12288
		int32: () => Int32Array.of(12_345),
		uint8: () => Uint8Array.of(1 + random.integer(255)),
	};
	view.write(values[tensor.dataType]());
	view.dispose();
}

/** Devices that are lost for good from a moment on, as after an error of a kernel. */
export class LosableDevices {
	isLost = false;

	readonly open = (id: string): NativeDevice => {
		this.#requireThere();
		const device = openDevice(id);
		return {
			id: device.id,
			memory: () => device.memory(),
			hasTf32: device.hasTf32,
			notes: device.notes,
			freeBytes: () => device.freeBytes(),
			needOf: (tensors, recorded) => device.needOf(tensors, recorded),
			reserve: (tensors) => device.reserve(tensors),
			allocate: (shape, type) => {
				this.#requireThere();
				return device.allocate(shape, type);
			},
			outline: (shape, type) => device.outline(shape, type),
			record: () => device.record(),
			wait: (event) => device.wait(event),
			timed: (work) => device.timed(work),
			synchronize: () => device.synchronize(),
			submitted: () => device.submitted(),
			allocateHost: (bytes) => device.allocateHost(bytes),
			close: () => device.close(),
		};
	};

	#requireThere(): void {
		if (this.isLost) throw new Error('unspecified launch failure');
	}
}

/** What a selftest is told, besides what it tests. */
export const tools = {
	seed: 3,
	operations,
	takeStep,
	// No times, and nothing that only fills a GPU.
	isSimulated: (): boolean => true,
};

export const openCpu: Open = (id) => openDevice(id);

export async function gather(results: AsyncGenerator<TestResult>): Promise<TestResult[]> {
	const list: TestResult[] = [];
	for await (const result of results) list.push(result);
	return list;
}

/** The tests that ended so. */
export const namesOf = (results: readonly TestResult[], outcome: TestResult['outcome']): string[] =>
	results.filter((result) => result.outcome === outcome).map((result) => result.test);
