import {Lookahead} from '../data/ahead.ts';
import {callback, checked, instanceOf, integer, option, options, type Checked} from '../base/check.ts';
import {environmentOf} from './environment.ts';
import {AlexNetError} from '../base/errors.ts';
import {evaluate, measuresOf, requireSameLabels, type Measures, type SeenPicture} from './evaluate.ts';
import type {Group} from '../net/group.ts';
import type {Model} from '../net/model.ts';
import type {StepResult, TrainStepOptions} from '../net/options.ts';
import {pictureSource, type Batch, type PictureSource} from '../data/picture-source.ts';
import type {Progress} from '../net/progress.ts';
import {shuffled} from '../base/random.ts';
import {rateScalingOptions, requireRateScaling, scaleAt, type RateScalingOptions} from './rate-scaling.ts';
import {recipes} from '../net/recipes.ts';
import {contentsOf, requireSamePictures} from './same-pictures.ts';
import {Schedule, scheduleOptions, type ScheduleOptions} from './schedule.ts';
import {sharedBatches, type SharedBatch} from './shared-batches.ts';
import {startTogether} from './shared-start.ts';
import {exchange, together} from './together.ts';
import {afterEpoch, afterStep, hasDiverged, newProgress} from './training-state.ts';
import {augment, crops, type CropsOption} from '../data/views.ts';

/** What `AlexNet.train` takes besides the pictures. */
export interface TrainOptions extends ScheduleOptions, RateScalingOptions, CropsOption {
	/** Passes over the pictures, those that the model has behind it included. Default 90. */
	epochs?: number | undefined;
	/** Pictures in a step. Default: as the model has it. */
	batchSize?: number | undefined;
	/** Evaluated after each epoch. */
	validation?: PictureSource | undefined;
	/** Random views as in the paper, or centre crops: 'paper' or 'none'. Default 'paper'. */
	augment?: 'paper' | 'none' | undefined;
	/** Rejects with the signal's reason after the current step. */
	signal?: AbortSignal | undefined;
	/** Called while no steps are made: pictures done and all pictures of what is being done. */
	onProgress?: ((phase: 'statistics' | 'validation', done: number, total: number) => void) | undefined;
	/** Called for each picture that is evaluated after an epoch. */
	onPicture?: ((seen: SeenPicture) => void) | undefined;
}

export const trainOptions = options<TrainOptions>()({
	...scheduleOptions.checks,
	...rateScalingOptions.checks,
	epochs: option(integer(1), 'passes over the pictures', recipes.paper.train.epochs),
	batchSize: option(integer(1), 'pictures in a step'),
	validation: option(pictureSource, 'evaluated after each epoch'),
	crops,
	augment,
	signal: instanceOf(AbortSignal),
	onProgress: callback(),
	onPicture: callback(),
});

/** Of one step: the loss before its update, and how far the run is. */
export interface StepReport extends StepResult {
	/** Tells it from an {@link EpochReport}. */
	type: 'step';
	/** From 1. */
	epoch: number;
	/** Updates made, over all epochs. */
	step: number;
	/** Which of this epoch's steps it was, from 1. */
	stepOfEpoch: number;
	/** How many steps an epoch has, less those that unreadable pictures cost. */
	stepsPerEpoch: number;
	/** Of its update, scaled to the batch. */
	learningRate: number;
	/** As {@link EpochReport.diverged}, of the epoch's steps so far. */
	diverged: boolean;
	/** Of this step, waiting for pictures included. */
	imagesPerSecond: number;
}

/** Of an epoch that has ended: means over its steps, and the held-out pictures. */
export interface EpochReport extends StepResult {
	/** Tells it from a {@link StepReport}. */
	type: 'epoch';
	/** The epoch that has ended, from 1. */
	epoch: number;
	/** Updates made, over all epochs. */
	step: number;
	/** At the end of the epoch, scaled to the batch, before the schedule divides it. */
	learningRate: number;
	/** Over the epoch, validation not included. Of a resumed epoch, over the steps made since; 0 where there were none. */
	imagesPerSecond: number;
	/**
	 * Whether the mean loss, or the validation loss, is more than ten times ln(classes), the loss of a net that knows
	 * nothing: the weights have run away, and a lower learning rate is needed.
	 */
	diverged: boolean;
	/**
	 * Whether the validation error is the lowest so far (the training loss, where there is no validation). Never of an
	 * epoch that has diverged.
	 */
	best: boolean;
	/** Of the held-out pictures after the epoch; undefined where none were given. */
	validation?: Measures;
}

/** What `AlexNet.train` yields. */
export type TrainReport = StepReport | EpochReport;

/** Those that a loop trains. */
const inTraining = new WeakSet<Model>();

/** What `AlexNet.train` says. A loop that has ended or was left does not keep another one from training.       paper 5 */
export function train(
	model: Model,
	source: PictureSource,
	options: TrainOptions = {},
): AsyncGenerator<TrainReport, void, undefined> {
	checked('source', pictureSource, source);
	model.requireTrainable();
	const given = checked('train', trainOptions, options);
	requireRateScaling(given);
	return trainAlone(model, source, given);
}

async function* trainAlone(
	model: Model,
	source: PictureSource,
	options: Checked<typeof trainOptions>,
): AsyncGenerator<TrainReport, void, undefined> {
	model.requireOpen();
	if (inTraining.has(model)) {
		const message = 'The model is in training already. End the other train() loop first, or train a model of its own.';
		throw new AlexNetError('ALEXNET_ARGUMENT', message);
	}
	inTraining.add(model);
	try {
		yield* trainEpochs(model, source, options);
	} finally {
		inTraining.delete(model);
	}
}

async function* trainEpochs(
	model: Model,
	source: PictureSource,
	options: Checked<typeof trainOptions>,
): AsyncGenerator<TrainReport, void, undefined> {
	const {epochs, batchSize = model.batchSize, validation, crops, signal, onProgress, onPicture} = options;
	requireSameLabels(model, source);
	if (validation) requireSameLabels(model, validation);
	requireWholeBatch(source, batchSize);
	const {group} = model;
	if (group) requireShares(group, batchSize);
	let progress = group
		? await startTogether(group, model, {
				source,
				validation,
				settings: settingsOf(options, batchSize),
				begin: () => begin(model, source, options),
			})
		: await begin(model, source, options);
	const schedule = new Schedule(options, progress.schedule);
	while (progress.epochs < epochs) {
		const ran = yield* trainEpoch(model, source, {...options, batchSize}, progress);
		if (ran.progress.epoch.steps === 0) throw tooFewReadable(source);
		const during = (done: number, total: number): void => onProgress?.('validation', done, total);
		const evaluation =
			validation &&
			(await evaluate(model, validation, {crops, signal: group ? undefined : signal, onProgress: during, onPicture}));
		if (evaluation) await requireFinite(model, 'validation loss after', evaluation.loss);
		const {learningRate} = model.sgd;
		const ended = afterEpoch(ran.progress, {schedule, step: model.step, classes: model.classes, evaluation});
		if (ended.divides) model.sgd = {...model.sgd, learningRate: learningRate / 10};
		progress = ended.progress;
		model.progress = progress;
		yield {
			type: 'epoch',
			epoch: progress.epochs,
			step: model.step,
			...ended.means,
			learningRate: learningRate * scaleAt(options, batchSize, progress, 1),
			imagesPerSecond: ran.imagesPerSecond,
			diverged: ended.diverged,
			best: progress.best?.epoch === progress.epochs,
			...(evaluation && {validation: measuresOf(evaluation)}),
		};
	}
}

/** Where the model's training stopped, or the start of a new run, with the training set's statistics. */
async function begin(model: Model, source: PictureSource, options: TrainOptions): Promise<Progress> {
	const {validation, signal, onProgress} = options;
	const environment = environmentOf(model);
	if (model.progress) {
		const {pictures, unreadable} = model.progress;
		requireSamePictures(source.labels, pictures, await contentsOf(source, validation, pictures.unread));
		source.leaveOut?.(unreadable);
		validation?.leaveOut?.(pictures.unread?.validation ?? []);
		return {...model.progress, environment};
	}
	// What cannot be read of the held-out pictures is found before anything is learned, not after an epoch.
	await validation?.check?.({signal, onProgress: (done, total) => onProgress?.('validation', done, total)});
	if (model.hasStatistics) await source.checkClasses?.(signal);
	else {
		const during = (done: number, total: number): void => onProgress?.('statistics', done, total);
		model.statistics = await source.statistics({signal, onProgress: during});
	}
	const unread = {train: source.unreadablePlaces ?? [], validation: validation?.unreadablePlaces ?? []};
	return newProgress(await contentsOf(source, validation, unread), environment, unread.train);
}

async function* trainEpoch(
	model: Model,
	source: PictureSource,
	{augment, signal, batchSize, ...options}: TrainOptions & {batchSize: number},
	progress: Progress,
): AsyncGenerator<StepReport, {progress: Progress; imagesPerSecond: number}> {
	const epoch = progress.epochs + 1;
	const order = await shuffled(source.size, model.seed, epoch);
	const rest = order.subarray(progress.epoch.place);
	const ran = {pictures: 0, seconds: 0};
	// A source may refuse pictures of which none can be read; where a few are left over, nobody would miss them.
	if (rest.length < batchSize) return {progress, imagesPerSecond: 0};
	const left = new AbortController(); // Nobody sees its reason: who leaves asks for no more batches.
	const {group, hostPool} = model;
	const own = group ? undefined : signal; // ranks agree on when they stop
	const stop = own ? AbortSignal.any([own, left.signal]) : left.signal;
	const memory = hostPool.lend();
	const {unreadable} = progress;
	const batches: AsyncIterable<Batch | SharedBatch, void, void> = group
		? sharedBatches(source, {group, batchSize, order: rest, unreadable, signal, left: stop, allocate: memory.take})
		: source.batches({batchSize, order: rest, dropLast: true, signal: stop, allocate: memory.take});
	const stepOf = ({images, labels, indices, ...shared}: Batch | SharedBatch): TrainStepOptions => {
		const {slice, whole = indices} = 'whole' in shared ? shared : {slice: undefined};
		return {
			...{images, labels, indices, slice, epoch, augment},
			progress: (made) => (progress = afterStep(progress, order, whole, made)),
		};
	};
	const steps = new Lookahead(batches, stepOf, () => {
		left.abort();
	});
	const stepsPerEpoch = (): number => Math.floor((source.size - progress.unreadable.length) / batchSize);
	let last = performance.now();
	try {
		for await (const step of steps) {
			own?.throwIfAborted();
			const rateScale = scaleAt(options, batchSize, progress, stepsPerEpoch());
			const learningRate = model.sgd.learningRate * rateScale;
			const result = await model.trainStepBefore(step, () => steps.peek(), rateScale);
			await requireFinite(model, 'loss of', result.loss);
			const seconds = (performance.now() - last) / 1000;
			ran.pictures += batchSize;
			ran.seconds += seconds;
			yield {
				type: 'step',
				epoch,
				step: model.step,
				stepOfEpoch: progress.epoch.steps,
				stepsPerEpoch: stepsPerEpoch(),
				...result,
				learningRate,
				diverged: hasDiverged(progress.epoch.loss / progress.epoch.steps, model.classes),
				imagesPerSecond: batchSize / seconds,
			};
			last = performance.now();
			own?.throwIfAborted();
		}
	} finally {
		await model.forgetNext();
		memory.end();
	}
	return {progress, imagesPerSecond: ran.seconds > 0 ? ran.pictures / ran.seconds : 0};
}

async function requireFinite(model: Model, what: string, loss: number): Promise<void> {
	if (Number.isFinite(loss)) return;
	const {group} = model;
	const of = async (): Promise<string | undefined> => model.firstNotFinite();
	const first = group ? (await exchange(group, of)).find((each) => each !== undefined) : await of();
	const error = new AlexNetError(
		'ALEXNET_LOSS',
		`The ${what} step ${model.step} is ${loss}; ${first === undefined ? 'all that the last step computed is finite, though' : `the first that is not finite is ${first}`}. ` +
			`Try a lower learningRate than ${model.sgd.learningRate}, from the last checkpoint on or from the start.`,
	);
	throw group ? together(error) : error;
}

function tooFewReadable({size}: PictureSource): AlexNetError {
	return new AlexNetError('ALEXNET_PICTURE', `Too few of the ${size} pictures could be read to fill one batch.`);
}

function requireWholeBatch({size}: PictureSource, batchSize: number): void {
	if (size >= batchSize) return;
	throw new AlexNetError(
		'ALEXNET_ARGUMENT',
		`The training set has ${size} pictures, fewer than one batch of ${batchSize}. Use a batchSize of at most ${size}.`,
	);
}

/** What all ranks must train with. */
function settingsOf(
	{epochs, augment, crops, divideAt, patience, ...options}: TrainOptions,
	batchSize: number,
): Readonly<Record<string, unknown>> {
	const {learningRateScaling, referenceBatchSize, warmUpEpochs} = options;
	const rates = {divideAt, patience, learningRateScaling, referenceBatchSize, warmUpEpochs};
	return {epochs, batchSize, augment, crops, ...rates};
}

function requireShares({size}: Group, batchSize: number): void {
	if (batchSize >= size) return;
	const message = `A batch of ${batchSize} pictures has none for some of ${size} ranks. Use a batchSize of at least ${size}.`;
	throw together(new AlexNetError('ALEXNET_ARGUMENT', message));
}
