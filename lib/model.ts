import type {Architecture} from './architecture.ts';
import {requireInteger, requireLength, requireOneOf} from './check.ts';
import {placeOnOneDevice} from './columns.ts';
import {openDevice} from './device.ts';
import {AlexNetError, DisposedError} from './errors.ts';
import {elementsOf, Memory} from './memory.ts';
import type {NativeDevice} from './native.ts';
import type {ModelOptions, Precision, StepResult, TrainStepOptions} from './options.ts';
import type {Parameter} from './parameter.ts';
import {InferencePlan, TrainingPlan, type Network} from './plan.ts';
import {Predictor} from './predictor.ts';
import type {Progress} from './progress.ts';
import {sgd, sgdSettings, type SgdSettings} from './sgd.ts';
import {testViews, trainingViews, type PcaScale, type Statistics} from './views.ts';

/** A network on its devices: parameters, training steps and predictions on pictures of uint8. */
export class Model {
	readonly architecture: Architecture;
	readonly labels: readonly string[];
	readonly precision: Precision;
	readonly batchSize: number;
	readonly seed: number;
	readonly pcaScale: PcaScale;
	/** Rates and decay of the next step; see {@link SgdOptions}. */
	sgd: SgdSettings;
	/** Updates made so far. */
	step = 0;
	/** Where training stopped, for it to go on from. Set it to undefined to begin a new run with these weights. */
	progress: Progress | undefined;
	readonly #network: Network;
	readonly #device: NativeDevice;
	readonly #memory: Memory;
	readonly #plans = new Map<number, TrainingPlan>();
	readonly #predictor: Predictor;
	#statistics: Statistics;
	#hasStatistics = false;
	#closing: Promise<void> | undefined;

	/** Opens the device and takes the parameters' memory; follow it with initialize() or setParameters(). */
	constructor(options: ModelOptions) {
		const {architecture, labels, devices = 'cpu', precision = 'fp32', batchSize = 128, seed = 0} = options;
		requireLabels(architecture, labels);
		this.architecture = architecture;
		this.labels = [...labels];
		this.precision = requireOneOf('precision', precision, ['fp32', 'bf16']);
		this.batchSize = requireInteger('batchSize', batchSize, 1);
		this.seed = requireInteger('seed', seed, 0);
		this.pcaScale = requireOneOf('pcaScale', options.pcaScale ?? 'deviation', ['deviation', 'eigenvalue']);
		this.sgd = sgdSettings(options);
		const {imageSize, crop} = architecture;
		const mean = [imageSize, imageSize, 3];
		const pca = {values: new Float32Array(3), vectors: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1)};
		this.#statistics = {mean: new Float32Array(elementsOf(mean)), pca};
		this.#device = openDevice(oneDevice(devices));
		this.#memory = new Memory(this.#device);
		try {
			const type = precision === 'bf16' ? 'bfloat16' : 'float32';
			const layers = placeOnOneDevice(architecture, this.#memory, type, seed);
			const tensor = this.#memory.allocate(mean, 'float32');
			this.#network = {device: this.#device, layers, precision: type, imageSize, crop, mean: tensor};
			tensor.write(this.#statistics.mean);
		} catch (error) {
			this.#memory.dispose();
			this.#device.close();
			throw error;
		}
		this.#predictor = new Predictor((rows) => new InferencePlan(this.#network, rows), batchSize, this.classes);
	}

	/** Draws the initial weights, and sets momentum to zero. */
	async initialize(): Promise<void> {
		this.#requireOpen();
		let stream = 0;
		for (const layer of this.#network.layers) {
			for (const {parameter, initial} of layer.parameters) parameter.initialize(initial, this.seed, stream++);
		}
		await this.#device.synchronize();
	}

	get classes(): number {
		return this.labels.length;
	}

	/** Ids of the devices that hold the columns. */
	get devices(): readonly string[] {
		return [this.#device.id];
	}

	/** Every weight and bias: name, shape in PyTorch's order, and where its parts lie. */
	get parameters(): readonly Parameter[] {
		return this.#network.layers.flatMap((layer) => layer.parameters.map(({parameter}) => parameter));
	}

	/** Tensor memory held now, in bytes, and how many allocations there ever were. */
	get memory(): {bytes: number; allocations: number} {
		return this.#device.memory();
	}

	/** Mean image and PCA of the training set: subtracted from, and added to, every picture. Zero at first. */
	get statistics(): Statistics {
		return this.#statistics;
	}

	set statistics(statistics: Statistics) {
		this.#requireOpen();
		requireLength('The mean image', statistics.mean.length, elementsOf(this.#network.mean.shape));
		requireLength('pca.values', statistics.pca.values.length, 3);
		requireLength('pca.vectors', statistics.pca.vectors.length, 9);
		this.#statistics = statistics;
		this.#hasStatistics = true;
		this.#network.mean.write(statistics.mean);
	}

	/** Whether {@link statistics} have been set. */
	get hasStatistics(): boolean {
		return this.#hasStatistics;
	}

	/**
	 * One step on one batch: forward, backward, and the update unless `update` is false.
	 *
	 * @throws ALEXNET_SHAPE, ALEXNET_LABEL before anything is queued.
	 */
	async trainStep(options: TrainStepOptions): Promise<StepResult> {
		this.#requireOpen();
		const {images, update = true} = options;
		const labels = this.#requireLabels(options.labels);
		const {imageSize} = this.architecture;
		requireLength(`images of ${labels.length} labels`, images.length, labels.length * imageSize * imageSize * 3);
		const plan = this.#trainingPlan(labels.length);
		plan.images.write(images);
		plan.views.write(this.#views(labels.length, options));
		plan.labels.write(labels);
		plan.forward(this.step);
		plan.backward();
		if (update) {
			sgd(this.parameters, this.sgd);
			++this.step;
		}
		const [loss = NaN, top1 = NaN, top5 = NaN] = await read(plan);
		return {loss: loss / labels.length, top1: top1 / labels.length, top5: top5 / labels.length};
	}

	/**
	 * Probabilities of the classes for pictures, averaged over one centre crop or ten (paper 4.1).
	 *
	 * @param images [N, imageSize, imageSize, 3]
	 * @returns [N, classes]
	 */
	async predict(images: Uint8Array, {crops = 1}: {crops?: 1 | 10 | undefined} = {}): Promise<Float32Array> {
		this.#requireOpen();
		requireOneOf('crops', crops, [1, 10]);
		const {imageSize, crop} = this.architecture;
		return this.#predictor.predict(images, imageSize * imageSize * 3, testViews(crops, imageSize, crop));
	}

	/** Resolves when all that was queued has ended; rejects with what failed since the last promise. */
	async synchronize(): Promise<void> {
		this.#requireOpen();
		await this.#device.synchronize();
	}

	/** The gradients of the last training step, by name, in PyTorch's order. */
	async gradients(): Promise<Map<string, Float32Array>> {
		return this.#readAll('gradient');
	}

	/** The first weights, or gradients of weights, in the order of the layers that hold a value that is no finite number. */
	async firstNotFinite(): Promise<string | undefined> {
		this.#requireOpen();
		const hasOther = (values: Float32Array): boolean => values.some((value) => !Number.isFinite(value));
		for (const parameter of this.parameters) {
			if (hasOther(await parameter.read('weights'))) return parameter.name;
			if (hasOther(await parameter.read('gradient'))) return `the gradient of ${parameter.name}`;
		}
		return undefined;
	}

	/** The weights and biases, by name, in PyTorch's order. */
	async getParameters(): Promise<Map<string, Float32Array>> {
		return this.#readAll('weights');
	}

	/** Replaces weights and biases, given by name in PyTorch's order, all of them. Momentum starts at zero again. */
	async setParameters(values: ReadonlyMap<string, Float32Array>): Promise<void> {
		this.#requireOpen();
		const known = this.parameters.map(({name}) => name);
		if (values.size !== known.length || known.some((name) => !values.has(name))) {
			const [expected, given] = [known.join(', '), [...values.keys()].join(', ')];
			throw new AlexNetError('ALEXNET_ARGUMENT', `setParameters needs ${expected}; got ${given}.`);
		}
		for (const parameter of this.parameters) {
			parameter.reset();
			parameter.write('weights', values.get(parameter.name) ?? new Float32Array());
		}
		await this.#device.synchronize();
	}

	/** Waits for queued work, then gives all memory back. Idempotent. */
	async dispose(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.dispose();
	}

	async #close(): Promise<void> {
		// A failure that nobody waited for has nobody left to hear of it.
		await this.#device.synchronize().catch(() => undefined);
		for (const plan of this.#plans.values()) plan.dispose();
		this.#predictor.dispose();
		this.#memory.dispose();
		this.#device.close();
	}

	#trainingPlan(batchSize: number): TrainingPlan {
		const known = this.#plans.get(batchSize);
		if (known) return known;
		const plan = new TrainingPlan(this.#network, batchSize);
		this.#plans.set(batchSize, plan);
		return plan;
	}

	#views(count: number, {augment = 'paper', indices, epoch = this.step}: TrainStepOptions): Float32Array {
		const {imageSize, crop} = this.architecture;
		if (augment === 'none') {
			const centre = testViews(1, imageSize, crop);
			return Float32Array.from({length: count * centre.length}, (_, index) => centre[index % centre.length] ?? 0);
		}
		const {statistics, pcaScale, seed} = this;
		const places = indices ?? Int32Array.from({length: count}, (_, index) => index);
		return trainingViews({imageSize, crop, statistics, pcaScale, seed, epoch, indices: places});
	}

	async #readAll(contents: 'gradient' | 'weights'): Promise<Map<string, Float32Array>> {
		this.#requireOpen();
		const all = new Map<string, Float32Array>();
		for (const parameter of this.parameters) all.set(parameter.name, await parameter.read(contents));
		return all;
	}

	#requireLabels(labels: ArrayLike<number>): Int32Array {
		if (labels.length < 1) throw new AlexNetError('ALEXNET_SHAPE', 'A batch needs at least one picture, got none.');
		const result = Int32Array.from(labels);
		for (let row = 0; row < labels.length; ++row) {
			const label = labels[row];
			if (Number.isInteger(label) && Number(label) >= 0 && Number(label) < this.classes) continue;
			throw new AlexNetError(
				'ALEXNET_LABEL',
				`The label of picture ${row} is ${String(label)}; it must be an integer from 0 to ${this.classes - 1}.`,
			);
		}
		return result;
	}

	#requireOpen(): void {
		if (this.#closing) throw new DisposedError('The model was used after dispose().');
	}
}

async function read(plan: TrainingPlan): Promise<Float32Array> {
	const result = new Float32Array(3);
	await plan.result.read(result);
	return result;
}

function oneDevice(devices: string | readonly string[]): string {
	const list = typeof devices === 'string' ? [devices] : devices;
	const [device] = list;
	if (device !== undefined && list.length === 1) return device;
	throw new AlexNetError(
		'ALEXNET_DEVICE',
		`This version holds both columns on one device; got ${list.length} devices (${list.join(', ')}).`,
	);
}

function requireLabels({layers}: Architecture, labels: readonly string[]): void {
	const last = layers.at(-1);
	if (last?.type === 'linear' && last.outputs === labels.length) return;
	throw new AlexNetError(
		'ALEXNET_SHAPE',
		`The last layer must be linear with an output for each of the ${labels.length} labels.`,
	);
}
