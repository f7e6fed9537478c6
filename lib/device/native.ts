// The typed contract of the native addon, and the only file that loads it.
//
// The addon reports errors with the same codes as lib/base/errors.ts. Operations queue and return; what fails on the
// queue rejects the device's next promise. Shapes and parameters are documented in core/operations.h.
import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {AlexNetError, makeError, messageOf} from '../base/errors.ts';
import {packageRoot} from '../base/package.ts';
import type {MakeRecording} from './recording.ts';

/** What a tensor is made of. */
export type DataType = 'float32' | 'bfloat16' | 'int32' | 'uint8';
/** What a layer applies to its sums; NaN stays NaN. */
export type Activation = 'none' | 'relu' | 'tanh';
/** Dimensions, the outermost first. */
export type Shape = readonly number[];

/** What a tensor reads and writes, by data type; bfloat16 travels as the upper halves of floats, in a Uint16Array. */
export type HostArray = Float32Array | Uint16Array | Int32Array | Uint8Array;

/** Memory of a device, dense, the last dimension contiguous. Dispose of it when done. */
export interface Tensor {
	/** One to four dimensions, the outermost first; an array of its own each time. */
	readonly shape: number[];
	/** What it is made of, and so which {@link HostArray} `write` and `read` take. */
	readonly dataType: DataType;
	/** The {@link DeviceInfo.id} of the device whose memory it is. */
	readonly deviceId: string;
	/** The same memory with another shape, type or start. Keeps the memory alive on its own. */
	view(shape: Shape, dataType: DataType, byteOffset?: number): Tensor;
	/**
	 * Queues a copy from the host. Leave the array as it is, and where it is (`transfer`), until the device's next promise
	 * has settled.
	 *
	 * @throws ALEXNET_DATA_TYPE where it is not the {@link HostArray} of the data type, ALEXNET_SHAPE where it has another
	 *   length, ALEXNET_ARGUMENT where its buffer is resizable.
	 */
	write(source: HostArray): void;
	/**
	 * Begins a copy from the host beside the queue: at once or, where the tensor may still be in use, when an event has
	 * happened that its device recorded after the last use. Before it is used again, its device must wait for the event
	 * that is returned. Leave the array as it is until a promise has settled that was made after that wait. Errors as of
	 * `write`.
	 */
	writeBeside(source: HostArray, after?: DeviceEvent): DeviceEvent;
	/**
	 * Queues a copy to the host. The array is whole when the promise resolves; what is queued later may run before that
	 * where the array lies in memory of {@link NativeDevice.allocateHost}. Errors as of `write`.
	 */
	read(destination: HostArray): Promise<void>;
	/** Releases the memory as soon as queued work no longer needs it. Idempotent. */
	dispose(): void;
}

declare const eventBrand: unique symbol;

/** Something that happens on a device's queue, for another device to wait for. */
export interface DeviceEvent {
	/** @hidden What `record` and `send` return is one, and nothing else. */
	readonly [eventBrand]: true;
}

/** Memory that tensors take. */
export interface MemoryUse {
	/** Bytes held now. */
	bytes: number;
	/** How many allocations there ever were; training steps of one batch size make none after the first. */
	allocations: number;
}

/** An in-order queue of operations, and memory. Calls queue and return; what fails there rejects the next promise. */
export interface NativeDevice {
	/** As `openDevice` takes it: "cpu:0", "cuda:1". */
	readonly id: string;
	/** Sentences on what could not be had, when it was opened or since, and is done otherwise; mostly none. */
	readonly notes: readonly string[];
	/** Whether products may be given `tf32`: on GPUs from compute capability 8.0 on. */
	readonly hasTf32: boolean;
	/** What its tensors take, and have taken. */
	memory(): MemoryUse;
	/** Bytes that could still be allocated now. */
	freeBytes(): number;
	/**
	 * Bytes that tensors of these sizes, in bytes, take at most, with what their transfers and a net's operations need
	 * besides and have not taken yet, and recordings of so many layers' passes (default 0).
	 *
	 * @throws ALEXNET_ARGUMENT where it is no array of sizes, or no number of passes.
	 */
	needOf(tensors: readonly number[], recorded?: number): number;
	/**
	 * Queues taking what {@link NativeDevice.needOf} counts besides the tensors, so that nothing has to be found later.
	 * Errors as of it.
	 */
	reserve(tensors: readonly number[]): void;
	/** Takes memory, whose contents are whatever was there. Throws ALEXNET_MEMORY where there is too little. */
	allocate(shape: Shape, dataType: DataType): Tensor;
	/**
	 * Memory of the host, which lives as long as it is referred to. A GPU copies from and to it by itself, without the
	 * host's threads: the system locks its pages; where it locks no more, and for a CPU, it is ordinary memory. It serves
	 * all devices of the kind. Its contents are whatever was there.
	 *
	 * @throws ALEXNET_ARGUMENT where `bytes` is no integer of at least 1.
	 */
	allocateHost(bytes: number): ArrayBuffer;
	/** A tensor without memory, on which no operation runs: for finding out what is needed. */
	outline(shape: Shape, dataType: DataType): Tensor;
	/** Happens when all that was queued so far has ended. */
	record(): DeviceEvent;
	/** What is queued later on this device runs after the event. */
	wait(event: DeviceEvent): void;
	/**
	 * Milliseconds that the device takes for what `work` queues, from the end of what was queued before to the end of it:
	 * of a GPU by its own clock. Rejects as `synchronize`, and on simulated GPUs, which have no clock.
	 *
	 * @throws ALEXNET_ARGUMENT where `work` is no function; what it throws.
	 */
	timed(work: () => void): Promise<number>;
	/** Resolves when all that was queued has ended; rejects with the first failure since the last promise. */
	synchronize(): Promise<void>;
	/**
	 * Resolves when all that was queued has been handed to the device, which may still be at work; rejects with the first
	 * failure since the last promise, but for one of the device's own that is yet to come.
	 */
	submitted(): Promise<void>;
	/** Drops queued work, waits for what runs. Idempotent. */
	close(): void;
}

/** A device of this machine. The CUDA versions of build and driver are in {@link CudaAvailability}. */
export interface DeviceInfo {
	/** As `openDevice` and `AlexNet.create` take it: "cpu:0", "cuda:1". */
	id: string;
	/** The id's first part. The devices of one net are of one kind. */
	kind: 'cpu' | 'cuda';
	/** The processor's or the board's name. */
	name: string;
	/** Memory in bytes: the machine's or the control group's for a CPU, the board's for a GPU. */
	memoryBytes: number;
	/** Whether bf16 arithmetic runs in hardware; where it does not, it works but is slow. */
	nativeBfloat16: boolean;
	/** CPU: threads used when it is the only device and nothing else is asked for. */
	threads?: number;
	/** CPU: what allows no more threads, for example "OMP_NUM_THREADS" or "CPU quota"; left out where it is the machine. */
	threadsLimitedBy?: string;
	/** CPU: the library that multiplies and its instruction set, which decide the last bits of results. */
	arithmetic?: string;
	/** CUDA: for example "8.6". */
	computeCapability?: string;
	/** CUDA: streaming multiprocessors. */
	multiprocessors?: number;
	/** CUDA: where the board is plugged in, as `nvidia-smi --id` takes it. */
	pciAddress?: string;
	/** CUDA: ids of the devices that reach this one's memory without the host's help; none with `ALEXNET_PEER=0`. */
	peers?: string[];
	/** Bytes that could be allocated now; only where `listDevices({probe: true})` asks and the device can be opened. */
	freeBytes?: number;
	/** Why the device cannot be opened, though it is there; also only where that asks. */
	problem?: string;
	/** Sentences on what could not be had when it was opened, and is done otherwise; also only where that asks. */
	notes?: readonly string[];
}

/** Whether CUDA devices can be had here, and why not. */
export interface CudaAvailability {
	/** What is missing, if anything: a CUDA part of this build, a driver, a newer driver, a GPU that it can use. */
	reason: 'available' | 'not-built' | 'no-driver' | 'driver-too-old' | 'no-device';
	/** A sentence that says what to do. */
	message: string;
	/** CUDA version this build was made with, 13000 meaning 13.0; 0 where it has no CUDA part. */
	runtimeVersion: number;
	/** Newest CUDA version the driver supports; 0 where there is no driver. */
	driverVersion: number;
	/** Compute capabilities for which this build has machine code, and PTX: "7.5, 8.0 and PTX 8.0"; empty without a CUDA part. */
	builtFor: string;
}

/** How a convolution goes over its input. */
export interface ConvOptions {
	/** Pixels from one window to the next, down and across. Default 1. */
	stride?: number;
	/** Rows and columns of zeros: top, left, bottom, right. */
	pads: readonly [number, number, number, number];
	/** Equal slices of the channels: each slice of the output sees the same slice of the input. Default 1. */
	groups?: number;
}
/** How windows of size x size go over the input; all of them lie inside. */
export interface PoolOptions {
	/** Side of a window, in pixels. */
	size: number;
	/** Pixels from one window to the next, down and across. */
	stride: number;
}
/** Local response normalization: x / (k + alpha * sum of squares)^beta (paper 3.3). */
export interface LrnOptions {
	/** Equal slices of the channels that do not see each other. Default 1. */
	columns?: number;
	/** Channels in a window, odd. */
	size: number;
	/** Multiplies the sum of squares; not divided by size (paper 3.3). */
	alpha: number;
	/** The power that the sum is raised to; 0.75 in the paper. */
	beta: number;
	/** Added to alpha times the sum of squares; 2 in the paper. */
	k: number;
}
/** What `lrn` reads and writes. */
export interface LrnArguments extends LrnOptions {
	/** [N, H, W, C], fp32 or bf16. */
	input: Tensor;
	/** Of the input's shape and type. */
	output: Tensor;
	/** For `lrnBackward`: uint8, [`lrnWorkspaceBytes`]. None in inference, or where these are 0. */
	workspace?: Tensor | undefined;
}
/** What `maxPool` reads and writes. */
export interface MaxPoolArguments extends PoolOptions {
	/** [N, H, W, C], fp32 or bf16. */
	input: Tensor;
	/** [N, P, Q, C] of the input's type, P = floor((H - size) / stride) + 1, and Q likewise of W. */
	output: Tensor;
	/** For `maxPoolBackward`: uint8, [`maxPoolWorkspaceBytes`]. None in inference. */
	workspace?: Tensor | undefined;
}
/** What `lrnMaxPool` reads and writes. */
export interface LrnMaxPoolArguments {
	/** [N, H, W, C], fp32 or bf16. */
	input: Tensor;
	/** [N, P, Q, C] of the input's type, P = floor((H - size) / stride) + 1, and Q likewise of W. */
	output: Tensor;
	/** For `lrnMaxPoolBackward`: uint8, as `maxPoolWorkspaceBytes` says for these shapes. None in inference. */
	workspace?: Tensor | undefined;
	/** What is done first. */
	lrn: LrnOptions;
	/** What is done with that. */
	pool: PoolOptions;
}
/** What an update changes, all of one shape and in fp32 but for the copy. */
export interface SgdParameter {
	/** w, updated in place. */
	weights: Tensor;
	/** v, the last update, in place of which the new one is written; zeros before the first. */
	velocity: Tensor;
	/** d(mean loss) / d(weights). */
	gradient: Tensor;
	/** bf16 copy of the new weights. */
	copy?: Tensor | undefined;
	/** Of this parameter: biases may have another. */
	learningRate: number;
	/** Times the learning rate it is the share of w that an update takes off; 0 for none. */
	weightDecay: number;
}

/** How products are multiplied. */
export interface ProductOptions {
	/**
	 * Whether tensor cores may multiply fp32 tensors, rounded to TF32, which has 10 bits of fraction. What does not suit
	 * them is multiplied in fp32. Default false. ALEXNET_DEVICE where the device has no TF32, ALEXNET_ARGUMENT for bf16.
	 */
	tf32?: boolean | undefined;
}

/** The operations (core/operations.h has their shapes and formulas). All queue and return. */
export interface Operations {
	/**
	 * Crops [N, H, W, 3] of pictures [N, Y, X, 3], mirrored and coloured as `views` [N, 6] say, minus the mean image.
	 * Paper 4.1.
	 */
	augment(options: {images: Tensor; views: Tensor; mean: Tensor; output: Tensor}): void;
	/**
	 * output [N, P, Q, K] = activation(convolution of input [N, H, W, C] with weights [K, R, S, C / groups] + bias +
	 * addend).
	 */
	conv2d(
		options: ConvOptions &
			ProductOptions & {
				input: Tensor;
				weights: Tensor;
				bias?: Tensor | undefined;
				addend?: Tensor | undefined;
				output: Tensor;
				activation?: Activation;
			},
	): void;
	/** The gradient of conv2d's input from that of its output before the activation. */
	conv2dBackwardInput(
		options: ConvOptions & ProductOptions & {outputGradient: Tensor; weights: Tensor; inputGradient: Tensor},
	): void;
	/** The gradients of conv2d's weights and bias, fp32, from that of its output before the activation. */
	conv2dBackwardWeights(
		options: ConvOptions &
			ProductOptions & {
				input: Tensor;
				outputGradient: Tensor;
				weightGradient: Tensor;
				biasGradient?: Tensor | undefined;
			},
	): void;
	/** output [N, O] = activation(input [N, I] weights [O, I]^T + bias + addend). */
	linear(
		options: ProductOptions & {
			input: Tensor;
			weights: Tensor;
			bias?: Tensor | undefined;
			addend?: Tensor | undefined;
			output: Tensor;
			activation?: Activation;
		},
	): void;
	/** The gradient of linear's input from that of its output before the activation. */
	linearBackwardInput(options: ProductOptions & {outputGradient: Tensor; weights: Tensor; inputGradient: Tensor}): void;
	/** The gradients of linear's weights and bias, fp32, from that of its output before the activation. */
	linearBackwardWeights(
		options: ProductOptions & {
			input: Tensor;
			outputGradient: Tensor;
			weightGradient: Tensor;
			biasGradient?: Tensor | undefined;
		},
	): void;
	/** output = relu(input) or tanh(input). May run in place. */
	activate(options: {input: Tensor; output: Tensor; activation: Activation}): void;
	/** inputGradient = outputGradient * f'(x), f' taken from the output. May run in place. */
	activateBackward(options: {
		output: Tensor;
		outputGradient: Tensor;
		inputGradient: Tensor;
		activation: Activation;
	}): void;
	/** output = input / (k + alpha * sum of squares of the channels around)^beta. Paper 3.3. */
	lrn(options: LrnArguments): void;
	/** The gradient of lrn's input, from the workspace that the forward pass left. */
	lrnBackward(
		options: LrnOptions & {
			input: Tensor;
			outputGradient: Tensor;
			inputGradient: Tensor;
			workspace?: Tensor | undefined;
		},
	): void;
	/** The largest of each window. Paper 3.4. */
	maxPool(options: MaxPoolArguments): void;
	/**
	 * A window's gradient goes to its first maximum, which the forward pass left in the workspace. Where the input is the
	 * output of a ReLU, which `activation` says, inputGradient is that of the ReLU's own input: then `output` is the forward
	 * pass's.
	 */
	maxPoolBackward(
		options: PoolOptions & {
			outputGradient: Tensor;
			inputGradient: Tensor;
			workspace: Tensor;
			output?: Tensor | undefined;
			activation?: 'none' | 'relu';
		},
	): void;
	/** maxPool of lrn in one pass, with the bits of the two. Paper 3.3, 3.4. */
	lrnMaxPool(options: LrnMaxPoolArguments): void;
	/**
	 * The gradient of lrnMaxPool's input; where that is the output of a ReLU, which `activation` says, of the ReLU's own
	 * input. It has the bits of maxPoolBackward, lrnBackward and activateBackward.
	 */
	lrnMaxPoolBackward(options: {
		input: Tensor;
		outputGradient: Tensor;
		inputGradient: Tensor;
		workspace: Tensor;
		lrn: LrnOptions;
		pool: PoolOptions;
		activation?: 'none' | 'relu';
	}): void;
	/**
	 * output = input * mask / (1 - rate), [N, C]. The mask is a function of seed, step, layer and place, so the
	 * backward pass is the same call. Paper 4.2.
	 */
	dropout(options: {
		input: Tensor;
		output: Tensor;
		rate: number;
		seed: number | bigint;
		step: number;
		layer: number;
		features: number;
		offset?: number;
	}): void;
	/**
	 * result [3]: sum of the cross-entropies, how many labels were the best and among the five best of logits [N, K];
	 * gradient: of the mean loss.
	 */
	softmaxLoss(options: {logits: Tensor; labels: Tensor; result: Tensor; gradient?: Tensor | undefined}): void;
	/** Probabilities [N, K] of logits [N, K], fp32. */
	softmax(options: {logits: Tensor; probabilities: Tensor}): void;
	/** v <- momentum v - weightDecay rate w - rate gradient; w <- w + v, for all parameters. Paper 5. */
	sgd(options: {momentum: number; parameters: readonly SgdParameter[]}): void;
	/** The same values in another data type: fp32 from and to bf16, and fp32 from uint8 or int32. */
	cast(options: {input: Tensor; output: Tensor}): void;
	/** Within a device, or from one to another in the order of both queues. */
	copy(options: {input: Tensor; output: Tensor}): void;
	/**
	 * Begins a copy to another device, beside both queues, when what was queued before it on both has ended. Before the
	 * input is written or the output is used, its device must wait for the event.
	 */
	send(options: {input: Tensor; output: Tensor}): DeviceEvent;
	/** output = input + addend. May run in place. */
	add(options: {input: Tensor; addend: Tensor; output: Tensor}): void;
	/** The same value everywhere. */
	fill(options: {output: Tensor; value: number}): void;
	/** output's dimension i is input's dimension axes[i]; fp32, four dimensions. */
	permute(options: {
		input: Tensor;
		output: Tensor;
		axes: readonly number[];
		/** Where in a larger input the output begins. */
		inputStart?: readonly number[];
		/** Where in a larger output the input is put; the rest of the output stays. */
		outputStart?: readonly number[];
	}): void;
	/** Normal draws of the stream (seed, stream), times the deviation. */
	normal(options: {output: Tensor; seed: number | bigint; stream: number; deviation: number}): void;
	/** Bytes of the workspace that the backward pass needs; 0 where it needs none. */
	lrnWorkspaceBytes(options: LrnArguments): number;
	/** As lrnWorkspaceBytes. */
	maxPoolWorkspaceBytes(options: MaxPoolArguments): number;
}

export interface Addon extends Operations {
	/** Takes what makes an error of a code and a message. */
	makeErrorsWith(make: typeof makeError): void;
	Device: new (kind: string, index: number, threads?: number) => NativeDevice;
	Recording: MakeRecording<NativeDevice>;
	listDevices(): DeviceInfo[];
	cudaAvailability(): CudaAvailability;
	/**
	 * Takes an open file for this process until it is closed, at the latest when the process ends, however it ends. False
	 * where another process or another opening of the file holds it.
	 */
	lockFile(descriptor: number): boolean;
}

/** Builds for tests of the addon, in a checkout only: the variable that asks for one (the first counts), what makes it. */
const testBuilds = [
	{variable: 'ALEXNET_ASAN_SIMULATED', folder: 'AsanSimulated', command: 'npm run test:asan-simulated'},
	{variable: 'ALEXNET_SIMULATED_GPUS', folder: 'Simulated', command: 'npm run build:simulated'},
	{variable: 'ALEXNET_ASAN', folder: 'Asan', command: 'npm run test:asan'},
	{variable: 'ALEXNET_TSAN', folder: 'Tsan', command: 'npm run test:tsan'},
] as const;

/**
 * Where the addon is loaded from: build/Release/ of a checkout, prebuilds/ of a package, or a build for tests.
 *
 * @throws ALEXNET_ADDON where there is none; the message says what makes one.
 */
export function addonFile(): string {
	const asked = testBuilds.find(({variable}) => process.env[variable]);
	if (!asked) {
		const {resolve} = load('node-gyp-build') as {resolve: (folder: string) => string};
		return unlessMissing(() => resolve(packageRoot()));
	}
	const file = join(packageRoot(), 'build', asked.folder, 'Release', 'alexnet.node');
	if (existsSync(file)) return file;
	const message = `${asked.variable} is set, but ${file} is not there. Run '${asked.command}' in a checkout, or unset it.`;
	throw new AlexNetError('ALEXNET_ADDON', message);
}

/** At first use: what needs no addon asks for no module of this kind. */
function load(module: string): unknown {
	return createRequire(import.meta.url)(module);
}

function unlessMissing<T>(work: () => T): T {
	try {
		return work();
	} catch (error) {
		throw new AlexNetError(
			'ALEXNET_ADDON',
			`The native addon could not be loaded: ${messageOf(error)}\n` +
				"Run 'npm rebuild alexnet-cuda' (in a checkout: scripts/setup) and read what it says is missing. A package " +
				"manager that blocks install scripts builds nothing before 'npm install-scripts approve alexnet-cuda' or " +
				"'pnpm approve-builds'.",
			{cause: error},
		);
	}
}

function loadAddon(): Addon {
	const file = addonFile();
	const addon = unlessMissing(() => load(file) as Addon);
	addon.makeErrorsWith(makeError);
	return addon;
}

function loaded(exports: Partial<Addon>): Partial<Addon> {
	return exports.Device ? exports : Object.assign(exports, loadAddon());
}

/**
 * The addon, loaded where it is first used, so that what needs none works without one.
 *
 * @throws ALEXNET_ADDON, with the reason.
 */
export const native = new Proxy<Partial<Addon>>(
	{},
	{
		get: (exports, name) => Reflect.get(loaded(exports), name) as unknown,
		has: (exports, name) => Reflect.has(loaded(exports), name),
		ownKeys: (exports) => Reflect.ownKeys(loaded(exports)),
	},
) as Addon;
