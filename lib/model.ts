import type {Architecture} from './architecture.ts';
import {bytes, checked, floats, instanceOf, inWords, requireLength} from './check.ts';
import {placeColumns} from './columns.ts';
import {DeviceGroup} from './device-group.ts';
import {AlexNetError, DisposedError} from './errors.ts';
import {elementsOf, takeMemory, type Memory} from './memory.ts';
import {modelOptions, predictOptions, trainStepOptions} from './options.ts';
import type {ModelOptions, Precision, PredictOptions, StepResult, TrainStepOptions} from './options.ts';
import type {Parameter} from './parameter.ts';
import {InferencePlan, TrainingPlan, type Network} from './plan.ts';
import {Predictor} from './predictor.ts';
import type {Progress} from './progress.ts';
import {recipes} from './recipes.ts';
import {sgd, sgdSettings, type SgdSettings} from './sgd.ts';
import {statisticsFields, testViews, trainingViews, type PcaScale, type Statistics} from './views.ts';

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
	readonly #group: DeviceGroup;
	readonly #memories: readonly Memory[];
	readonly #plans = new Map<number, TrainingPlan>();
	readonly #predictor: Predictor;
	#statistics: Statistics;
	#hasStatistics = false;
	#closing: Promise<void> | undefined;
	/** Of the last step. */
	#lastPlan: TrainingPlan | undefined;

	/** Opens the devices and takes the parameters' memory; follow it with initialize() or setParameters(). */
	constructor(options: ModelOptions) {
		checked('AlexNet', modelOptions, options);
		const {architecture, labels, devices = 'cpu', precision = 'fp32', seed = 0} = options;
		const {batchSize = recipes.paper.create.batchSize} = options;
		requireLabels(architecture, labels);
		this.architecture = architecture;
		this.labels = [...labels];
		this.precision = precision;
		this.batchSize = batchSize;
		this.seed = seed;
		this.pcaScale = options.pcaScale ?? 'deviation';
		this.sgd = sgdSettings(options);
		const {imageSize, crop} = architecture;
		const mean = [imageSize, imageSize, 3];
		const pca = {values: new Float32Array(3), vectors: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1)};
		this.#statistics = {mean: new Float32Array(elementsOf(mean)), pca};
		this.#group = new DeviceGroup(typeof devices === 'string' ? [devices] : devices, architecture.columns, options);
		try {
			const type = precision === 'bf16' ? 'bfloat16' : 'float32';
			const purpose = {purpose: 'This net', advice: 'Close what else needs memory, or take another device.'};
			const taken = takeMemory(this.#group.devices, purpose, (memories) => ({
				memories,
				layers: placeColumns(architecture, memories, type, seed),
				means: memories.map((memory) => memory.allocate(mean, 'float32')),
			}));
			this.#memories = taken.memories;
			this.#network = {layers: taken.layers, precision: type, imageSize, crop, means: taken.means};
			for (const tensor of taken.means) tensor.write(this.#statistics.mean);
		} catch (error) {
			this.#group.close();
			throw error;
		}
		this.#predictor = new Predictor(
			(rows) => this.#inferencePlan(rows),
			(promise) => this.#group.settle(promise),
			{most: batchSize, classes: this.classes},
		);
	}

	/** Draws the initial weights, and sets momentum to zero. */
	async initialize(): Promise<void> {
		this.#requireOpen();
		let stream = 0;
		for (const layer of this.#network.layers) {
			for (const {parameter, initial} of layer.parameters) parameter.initialize(initial, this.seed, stream++);
		}
		await this.#group.synchronize();
	}

	get classes(): number {
		return this.labels.length;
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

	/** Tensor memory held now, in bytes, and how many allocations there ever were. */
	get memory(): {bytes: number; allocations: number} {
		return this.#group.memory;
	}

	/** Mean image and PCA of the training set: subtracted from, and added to, every picture. Zero at first. */
	get statistics(): Statistics {
		return this.#statistics;
	}

	set statistics(statistics: Statistics) {
		this.#requireOpen();
		checked('statistics', statisticsFields, statistics);
		const {imageSize} = this.architecture;
		requireLength('The mean image', statistics.mean.length, imageSize * imageSize * 3);
		requireLength('pca.values', statistics.pca.values.length, 3);
		requireLength('pca.vectors', statistics.pca.vectors.length, 9);
		this.#statistics = statistics;
		this.#hasStatistics = true;
		for (const tensor of this.#network.means) tensor.write(statistics.mean);
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
		const {images, update = true} = checked('trainStep', trainStepOptions, options);
		const labels = this.#requireLabels(options.labels);
		const {imageSize} = this.architecture;
		requireLength(`images of ${labels.length} labels`, images.length, labels.length * imageSize * imageSize * 3);
		if (options.indices) requireLength('indices', options.indices.length, labels.length);
		const plan = this.#trainingPlan(labels.length);
		const {step} = this;
		plan.write(images, this.#views(labels.length, options));
		plan.labels.write(labels);
		plan.forward(step);
		plan.backward();
		if (update) {
			this.#group.meet(); // either all devices update their weights or, where one has failed, none
			sgd(this.parameters, this.sgd);
			++this.step;
		}
		this.#lastPlan = plan;
		const result = new Float32Array(3);
		try {
			await this.#group.settle(plan.result.read(result));
		} catch (error) {
			this.step = step;
			throw error;
		}
		const [loss = NaN, top1 = NaN, top5 = NaN] = result;
		return {loss: loss / labels.length, top1: top1 / labels.length, top5: top5 / labels.length};
	}

	/**
	 * What was the first that is not a finite number in the last training step, in the order of the forward pass:
	 * "conv5's output". Undefined where all is finite.
	 */
	async firstNotFinite(): Promise<string | undefined> {
		this.#requireOpen();
		return this.#lastPlan?.firstNotFinite();
	}

	/**
	 * Probabilities of the classes for pictures, averaged over one centre crop or ten (paper 4.1).
	 *
	 * @param images [N, imageSize, imageSize, 3]
	 * @returns [N, classes]
	 */
	async predict(images: Uint8Array, options: PredictOptions = {}): Promise<Float32Array> {
		this.#requireOpen();
		const {crops = 1} = checked('predict', predictOptions, options);
		checked('images', bytes, images);
		const {imageSize, crop} = this.architecture;
		return this.#predictor.predict(images, imageSize * imageSize * 3, testViews(crops, imageSize, crop));
	}

	/** Resolves when all that was queued has ended; rejects with what failed since the last promise. */
	async synchronize(): Promise<void> {
		this.#requireOpen();
		await this.#group.synchronize();
	}

	/** The gradients of the last training step, by name, in PyTorch's order. */
	async gradients(): Promise<Map<string, Float32Array>> {
		return this.#readAll('gradient');
	}

	/** The weights and biases, by name, in PyTorch's order. */
	async getParameters(): Promise<Map<string, Float32Array>> {
		return this.#readAll('weights');
	}

	/** Replaces weights and biases, given by name in PyTorch's order, all of them. Momentum starts at zero again. */
	async setParameters(values: ReadonlyMap<string, Float32Array>): Promise<void> {
		this.#requireOpen();
		checked('values', instanceOf(Map), values);
		const known = this.parameters.map(({name}) => name);
		if (values.size !== known.length || known.some((name) => !values.has(name))) {
			const [expected, given] = [known.join(', '), [...values.keys()].join(', ')];
			throw new AlexNetError('ALEXNET_ARGUMENT', `setParameters needs ${expected}; got ${given}.`);
		}
		for (const {name} of this.parameters) checked(name, floats, values.get(name));
		for (const parameter of this.parameters) {
			parameter.reset();
			parameter.write('weights', values.get(parameter.name) ?? new Float32Array());
		}
		await this.#group.synchronize();
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
		await this.#predictor.finish();
		await this.#group.synchronize().catch(() => undefined);
		for (const plan of this.#plans.values()) plan.dispose();
		this.#predictor.dispose();
		for (const memory of this.#memories) memory.dispose();
		this.#group.close();
	}

	#trainingPlan(batchSize: number): TrainingPlan {
		const known = this.#plans.get(batchSize);
		if (known) return known;
		const purpose = {purpose: `A training step of ${batchSize} pictures`, advice: 'Try a smaller batchSize.'};
		const plan = takeMemory(this.#group.devices, purpose, (memories) => {
			return new TrainingPlan(this.#network, batchSize, memories);
		});
		this.#plans.set(batchSize, plan);
		return plan;
	}

	#inferencePlan(rows: number): InferencePlan {
		const purpose = {purpose: `Inference on ${rows} views at once`, advice: 'Try a smaller batchSize.'};
		return takeMemory(this.#group.devices, purpose, (memories) => new InferencePlan(this.#network, rows, memories));
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
		for (const parameter of this.parameters)
			all.set(parameter.name, await this.#group.settle(parameter.read(contents)));
		return all;
	}

	#requireLabels(labels: ArrayLike<number>): Int32Array {
		if (labels.length < 1) throw new AlexNetError('ALEXNET_SHAPE', 'A batch needs at least one picture, got none.');
		for (let row = 0; row < labels.length; ++row) {
			const label = labels[row];
			if (Number.isInteger(label) && Number(label) >= 0 && Number(label) < this.classes) continue;
			throw new AlexNetError(
				'ALEXNET_LABEL',
				`The label of picture ${row} is ${inWords(label)}; it must be an integer from 0 to ${this.classes - 1}.`,
			);
		}
		return Int32Array.from(labels);
	}

	#requireOpen(): void {
		if (this.#closing) throw new DisposedError('The model was used after dispose().');
	}
}

function requireLabels({layers}: Architecture, labels: readonly string[]): void {
	const last = layers.at(-1);
	if (last?.type === 'linear' && last.outputs === labels.length) return;
	throw new AlexNetError(
		'ALEXNET_SHAPE',
		`The last layer must be linear with an output for each of the ${labels.length} labels.`,
	);
}
