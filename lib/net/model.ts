import {classesOf, type Architecture} from './architecture.ts';
import {batchOf, labelsOf} from './batch.ts';
import {bytes, checked, filled, floats, instanceOf, must, requireLength, text, type Checked} from '../base/check.ts';
import {placeColumns} from './columns.ts';
import {DeviceGroup} from '../device/device-group.ts';
import type {Group, Wire} from './group.ts';
import {HostPool} from '../device/host-pool.ts';
import {AlexNetError, DisposedError} from '../base/errors.ts';
import {elementsOf, otherMemory, takeMemory, type Memory} from '../device/memory.ts';
import type {MemoryUse, NativeDevice} from '../device/native-device.ts';
import {requireFreezable, requireLayer} from './layer-names.ts';
import {modelOptions, predictOptions, trainStepOptions} from './options.ts';
import type {ModelOptions, Precision, PredictOptions, StepResult, TrainStepOptions} from './options.ts';
import {outlineTransfer, type Parameter} from './parameter.ts';
import type {Network} from './plan.ts';
import {Predictors} from './predictors.ts';
import type {Progress} from './progress.ts';
import {sgdOptions, sgdSettingsCheck, type SgdSettings} from './sgd.ts';
import {Stepper, type LabelledBatch} from './stepper.ts';
import {statisticsFields, testViews, type PcaScale, type Statistics} from '../data/views.ts';
import {WorkQueue} from '../base/work-queue.ts';

/**
 * A network on its devices: parameters, training steps and predictions on pictures of uint8.
 *
 * Calls may overlap: what reads or changes weights runs one after the other, in the order of the calls, so each sees the
 * weights of a whole step. Predictions that wait are put together in batches.
 */
export class Model {
	/** The layers, as plain data. */
	readonly architecture: Architecture;
	/** A name for each class, in the order of the outputs. */
	readonly labels: readonly string[];
	/** What activations and multiplications use. */
	readonly precision: Precision;
	/** Pictures in a step of `train`, and at most so many at once in inference. */
	readonly batchSize: number;
	/** Decides initial weights, dropout masks, crops and the order of pictures. */
	readonly seed: number;
	/** Whether it has neither momentum nor gradients and cannot be trained. */
	readonly inferenceOnly: boolean;
	/** What scales PCA colour in training. */
	readonly pcaScale: PcaScale;
	/** The ranks that train it together, if there are several. */
	readonly group: Group | undefined;
	/** Type of gradients between its ranks. */
	readonly wire: Wire;
	/** Names of the layers that keep their weights in training. */
	readonly frozen: readonly string[];
	/** Updates made so far. */
	step = 0;
	/** Where training stopped, for it to go on from. Set it to undefined to begin a new run with these weights. */
	progress: Progress | undefined;
	/**
	 * Memory for batches that the devices copy from best.
	 *
	 * @internal
	 */
	readonly hostPool: HostPool;
	readonly #network: Network;
	readonly #group: DeviceGroup;
	readonly #memories: readonly Memory[];
	readonly #queue = new WorkQueue();
	readonly #stepper: Stepper;
	readonly #predictors: Predictors;
	#sgd: SgdSettings;
	#statistics: Statistics;
	#hasStatistics = false;
	/** What the devices' mean images are of. */
	#placed: Statistics | undefined;
	#closing: Promise<void> | undefined;
	/** What the step after the last one will be given, and its batch, which is on its way. */
	#next: {options: TrainStepOptions; statistics: Statistics; batch: LabelledBatch} | undefined;
	/** Marks the last time that somebody was asked for it. */
	#asked: object | undefined;

	/** Opens the devices and takes the parameters' memory; follow it with initialize() or setParameters(). */
	constructor(options: ModelOptions) {
		const given = checked('AlexNet', modelOptions, options);
		const {architecture, labels, devices, precision, seed, batchSize} = given;
		requireLabels(architecture, labels);
		this.architecture = architecture;
		this.labels = [...labels];
		this.precision = precision;
		this.batchSize = batchSize;
		this.seed = seed;
		this.inferenceOnly = given.inferenceOnly;
		this.pcaScale = given.pcaScale;
		this.group = given.group;
		this.wire = given.wire;
		this.frozen = [...(given.freeze ?? [])];
		requireFreezable(architecture.layers, this.frozen);
		this.#sgd = filled(sgdOptions, given);
		const {imageSize, crop} = architecture;
		const mean = [imageSize, imageSize, 3];
		const pca = {values: new Float32Array(3), vectors: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1)};
		this.#statistics = {mean: new Float32Array(elementsOf(mean)), pca};
		this.#group = new DeviceGroup(typeof devices === 'string' ? [devices] : devices, architecture.columns, options);
		try {
			const tf32 = precision === 'tf32';
			if (tf32) requireTf32(this.#group.devices);
			const type = precision === 'bf16' ? 'bfloat16' : 'float32';
			const learns = (layer: string): boolean => !this.inferenceOnly && !this.frozen.includes(layer);
			// All parameters are written at once, each by way of a tensor in files' order.
			const later = ({layers}: {layers: Network['layers']}, memories: readonly Memory[]): void => {
				for (const {parameter} of layers.flatMap(({parameters}) => parameters)) outlineTransfer(parameter, memories);
			};
			const taken = takeMemory(this.#group.devices, {purpose: 'This net', advice: otherMemory, later}, (memories) => ({
				memories,
				layers: placeColumns(architecture, memories, {precision: type, tf32}, seed, learns),
				means: memories.map((memory) => memory.allocate(mean, 'float32')),
			}));
			this.#memories = taken.memories;
			this.#network = {layers: taken.layers, precision: type, imageSize, crop, means: taken.means};
			this.#stepper = new Stepper(this.#network, this.#group, (memories) => this.#outlineRun(memories), given);
			const inTurn = <T>(work: () => Promise<T>): Promise<T> => this.#queue.run(() => this.#withStatistics(work));
			this.#predictors = new Predictors(this.#network, this.#group, batchSize, inTurn);
		} catch (error) {
			this.#group.close();
			throw error;
		}
		this.hostPool = new HostPool((size) => this.#group.hostArray(size));
	}

	/** Draws the initial weights, and sets momentum to zero. */
	async initialize(): Promise<void> {
		await this.exclusively(async () => {
			let stream = 0;
			for (const layer of this.#network.layers) {
				for (const {parameter, initial} of layer.parameters) parameter.initialize(initial, this.seed, stream++);
			}
			await this.#group.synchronize();
		});
	}

	/** The number of classes. */
	get classes(): number {
		return this.labels.length;
	}

	/** Rates and decay of the next step; see {@link SgdSettings}. Set all of them: `{...model.sgd, learningRate: 0.001}`. */
	get sgd(): SgdSettings {
		return this.#sgd;
	}

	/** @throws ALEXNET_ARGUMENT where a setting is missing or out of its range. */
	set sgd(settings: SgdSettings) {
		this.#sgd = checked('model.sgd', sgdSettingsCheck, settings);
	}

	/** Ids of the devices that hold the columns. */
	get devices(): readonly string[] {
		return this.#group.ids;
	}

	/** Threads of each device, where they are CPUs. */
	get threads(): number | undefined {
		return this.#group.threads;
	}

	/** Every weight and bias: name, shape in PyTorch's order, and where its parts lie. */
	get parameters(): readonly Parameter[] {
		return this.#network.layers.flatMap((layer) => layer.parameters.map(({parameter}) => parameter));
	}

	/** What tensors take on all of its devices together. */
	get memory(): MemoryUse {
		return this.#group.memory;
	}

	/**
	 * Mean image and PCA of the training set: subtracted from, and added to, every picture. Zero at first. What begins
	 * later goes by new ones.
	 */
	get statistics(): Statistics {
		return this.#statistics;
	}

	/**
	 * @throws ALEXNET_ARGUMENT where a field is missing or no Float32Array, ALEXNET_SHAPE where it has another length,
	 * ALEXNET_DISPOSED after dispose().
	 */
	set statistics(statistics: Statistics) {
		this.requireOpen();
		checked('model.statistics', statisticsFields, statistics);
		const {imageSize} = this.architecture;
		requireLength('The mean image', statistics.mean.length, imageSize * imageSize * 3);
		requireLength('pca.values', statistics.pca.values.length, 3);
		requireLength('pca.vectors', statistics.pca.vectors.length, 9);
		this.#statistics = statistics;
		this.#hasStatistics = true;
	}

	/** Whether {@link statistics} have been set. */
	get hasStatistics(): boolean {
		return this.#hasStatistics;
	}

	/**
	 * One step on one batch: forward, backward, and the update unless `update` is false. On GPUs the promise resolves when
	 * the result is there; they go on with the rest, and what is asked for next begins after it.
	 *
	 * @throws ALEXNET_SHAPE, ALEXNET_LABEL, ALEXNET_ARGUMENT (for inference only) before anything is queued.
	 */
	async trainStep(options: TrainStepOptions): Promise<StepResult> {
		return this.trainStepBefore(options, () => Promise.resolve(undefined));
	}

	/**
	 * As {@link trainStep}. Once the step is queued, `next` is asked for what the one after it will be given, the same
	 * object: its batch comes to the devices while they work. Only where that is worth it; what it gives must say its epoch.
	 *
	 * @param rateScale multiplies the learning rate in this step
	 * @internal
	 */
	async trainStepBefore(
		options: TrainStepOptions,
		next: () => Promise<TrainStepOptions | undefined>,
		rateScale = 1,
	): Promise<StepResult> {
		this.requireOpen();
		this.requireTrainable();
		const given = checked('trainStep', trainStepOptions, options);
		const {update, progress} = given;
		const labels = labelsOf(this, given);
		return this.exclusively(() =>
			this.#withStatistics(async () => {
				const {step} = this;
				const statistics = this.#placed ?? this.#statistics;
				const {epoch = step} = given;
				const known = this.#next?.options === options && this.#next.statistics === statistics ? this.#next : undefined;
				const batch = known?.batch ?? batchOf(this, statistics, epoch, {...given, labels});
				const prefetch = (): void => void this.#prefetch(next, statistics);
				const {sgd} = this;
				const settings = update ? {...sgd, learningRate: sgd.learningRate * rateScale} : undefined;
				const result = await this.#stepper.make(batch, step, settings, prefetch);
				if (update) ++this.step;
				if (progress && Number.isFinite(result.loss)) this.progress = progress(result);
				return result;
			}),
		);
	}

	/**
	 * Forgets what `trainStepBefore` was told to be next: its batch is not read any more when this resolves.
	 *
	 * @internal
	 */
	async forgetNext(): Promise<void> {
		this.#next = this.#asked = undefined;
		await this.#queue.run(() => this.#stepper.forget());
	}

	/**
	 * What was the first that is not a finite number in the last training step, in the order of the forward pass:
	 * "conv5's output". Undefined where all is finite.
	 */
	async firstNotFinite(): Promise<string | undefined> {
		return this.exclusively(() => this.#stepper.firstNotFinite());
	}

	/**
	 * Probabilities of the classes for pictures, averaged over one centre crop or ten (paper 4.1). Calls that overlap
	 * share batches; how many pictures a batch has may change probabilities in their last bits.
	 *
	 * @param images [N, imageSize, imageSize, 3]. Leave it as it is until the promise settles.
	 * @returns [N, classes]
	 * @throws ALEXNET_SHAPE, ALEXNET_ARGUMENT before anything runs; the signal's reason as soon as it aborts.
	 */
	async predict(images: Uint8Array, options: PredictOptions = {}): Promise<Float32Array> {
		return this.#infer(undefined, images, checked('predict', predictOptions, options));
	}

	/**
	 * What a layer puts out for pictures, in inference: after its activation, without dropout; the last layer's are the
	 * logits. Averaged over one centre crop or ten. The memory of a batch is kept for each layer that has been asked for.
	 *
	 * @param images [N, imageSize, imageSize, 3]. Leave it as it is until the promise settles.
	 * @param layer its name: 'fc7'
	 * @returns [N, outputs]; of a layer of channels [N, C, H, W], column 0's channels first, as PyTorch flattens them
	 * @throws ALEXNET_ARGUMENT where there is no such layer, and what {@link Model.predict} throws.
	 */
	async activations(images: Uint8Array, layer: string, options: PredictOptions = {}): Promise<Float32Array> {
		requireLayer(this.architecture.layers, checked('layer', text, layer));
		return this.#infer(layer, images, checked('activations', predictOptions, options));
	}

	/** Resolves when all that was asked for has ended; rejects with what failed on a device since the last promise. */
	async synchronize(): Promise<void> {
		await this.exclusively(() => this.#group.synchronize());
	}

	/**
	 * Runs `work` while nothing else reads or changes the weights: after what was asked for before, and before what is
	 * asked for later. For work on the tensors of {@link parameters}; it must not wait for other methods of the model.
	 *
	 * @throws ALEXNET_DISPOSED after dispose().
	 */
	async exclusively<T>(work: () => Promise<T>): Promise<T> {
		this.requireOpen();
		return this.#queue.run(work);
	}

	/** The gradients of the last training step, by name, in PyTorch's order; none of frozen layers. */
	async gradients(): Promise<Map<string, Float32Array>> {
		this.requireTrainable();
		return this.#readAll('gradient', ({learns}) => learns);
	}

	/** The weights and biases, by name, in PyTorch's order. */
	async getParameters(): Promise<Map<string, Float32Array>> {
		return this.#readAll('weights', () => true);
	}

	/**
	 * Replaces weights and biases, given by name in PyTorch's order, all of them. Momentum starts at zero again.
	 *
	 * @throws ALEXNET_ARGUMENT where the names, ALEXNET_SHAPE where a length is wrong, before anything changes.
	 */
	async setParameters(values: ReadonlyMap<string, Float32Array>): Promise<void> {
		this.requireOpen();
		checked('values', instanceOf(Map), values);
		const known = this.parameters.map(({name}) => name);
		if (values.size !== known.length || known.some((name) => !values.has(name))) {
			const [expected, given] = [known.join(', '), [...values.keys()].join(', ')];
			throw new AlexNetError('ALEXNET_ARGUMENT', `setParameters needs ${expected}; got ${given}.`);
		}
		for (const parameter of this.parameters) {
			parameter.requireValues(checked(parameter.name, floats, values.get(parameter.name)));
		}
		await this.exclusively(async () => {
			for (const parameter of this.parameters) {
				parameter.reset();
				parameter.write('weights', values.get(parameter.name) ?? new Float32Array());
			}
			await this.#group.synchronize();
		});
	}

	/**
	 * Waits for steps, savings and readings that were asked for, and for the batch of predictions under way, then gives
	 * all memory back. Predictions that wait for a batch, and what is asked for later, reject with ALEXNET_DISPOSED.
	 * Idempotent.
	 */
	async dispose(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	/** As {@link Model.dispose}: for `await using`. */
	async [Symbol.asyncDispose](): Promise<void> {
		await this.dispose();
	}

	/**
	 * Checks that it can be trained.
	 *
	 * @throws ALEXNET_ARGUMENT where it is for inference only.
	 */
	requireTrainable(): void {
		if (!this.inferenceOnly) return;
		const message =
			'The model has no memory for momentum and gradients: make or load it without inferenceOnly to train.';
		throw new AlexNetError('ALEXNET_ARGUMENT', message);
	}

	/**
	 * Checks that it can still be used.
	 *
	 * @throws ALEXNET_DISPOSED after dispose().
	 */
	requireOpen(): void {
		if (this.#closing) throw disposed();
	}

	async #close(): Promise<void> {
		this.#predictors.refuse(disposed());
		await this.#queue.drain();
		// A failure that nobody waited for has nobody left to hear of it.
		await this.#group.synchronize().catch(() => undefined);
		this.#stepper.dispose();
		this.#predictors.dispose();
		for (const memory of this.#memories) memory.dispose();
		this.hostPool.clear();
		this.#group.close();
	}

	/** Brings the mean image to the devices where it is not there yet: all of `work` sees the same. */
	async #withStatistics<T>(work: () => Promise<T>): Promise<T> {
		const statistics = this.#statistics;
		if (this.#placed !== statistics) {
			for (const tensor of this.#network.means) tensor.write(statistics.mean);
			await this.#group.synchronize();
			this.#placed = statistics;
		}
		return work();
	}

	/** Where the batch cannot be had or is refused, the step itself will say so. */
	async #prefetch(next: () => Promise<TrainStepOptions | undefined>, statistics: Statistics): Promise<void> {
		this.#next = undefined;
		const asked = (this.#asked = {});
		if (!this.#group.overlaps) return;
		try {
			const options = await next();
			if (options?.epoch === undefined || this.#asked !== asked) return;
			const given = checked('trainStep', trainStepOptions, options);
			const batch = batchOf(this, statistics, options.epoch, {...given, labels: labelsOf(this, given)});
			this.#stepper.prefetch(batch);
			this.#next = {options, statistics, batch};
		} catch {
			this.#next = undefined;
		}
	}

	async #infer(
		layer: string | undefined,
		images: Uint8Array,
		{crops, signal}: Checked<typeof predictOptions>,
	): Promise<Float32Array> {
		this.requireOpen();
		checked('images', bytes, images);
		const {imageSize, crop} = this.architecture;
		return this.#predictors.of(layer).predict(images, testViews(crops, imageSize, crop), signal);
	}

	/** Asks outlines for what evaluating and saving take besides training steps. */
	#outlineRun(memories: readonly Memory[]): void {
		this.#predictors.outline(memories);
		const largest = this.parameters.reduce((most, other) => (other.elements > most.elements ? other : most));
		outlineTransfer(largest, memories);
	}

	async #read(parameter: Parameter, contents: 'gradient' | 'weights'): Promise<Float32Array> {
		const reading = parameter.read(contents);
		await this.#group.settle(reading);
		return reading;
	}

	async #readAll(
		contents: 'gradient' | 'weights',
		chosen: (parameter: Parameter) => boolean,
	): Promise<Map<string, Float32Array>> {
		return this.exclusively(async () => {
			const all = new Map<string, Float32Array>();
			for (const parameter of this.parameters.filter(chosen))
				all.set(parameter.name, await this.#read(parameter, contents));
			return all;
		});
	}
}

export const aModel = must<Model>('an AlexNet', (value) => value instanceof Model);

function disposed(): DisposedError {
	return new DisposedError('The model was used after dispose().');
}

function requireTf32(devices: readonly NativeDevice[]): void {
	const without = devices.find(({hasTf32}) => !hasTf32);
	if (!without) return;
	throw new AlexNetError(
		'ALEXNET_DEVICE',
		`${without.id} has no TF32, which takes a GPU of compute capability 8.0 or newer. Use precision 'fp32' or 'bf16' there.`,
	);
}

function requireLabels(architecture: Architecture, labels: readonly string[]): void {
	if (classesOf(architecture) === labels.length) return;
	throw new AlexNetError(
		'ALEXNET_SHAPE',
		`The last layer must be linear with an output for each of the ${labels.length} labels.`,
	);
}
