// One training step of a whole net: loss, gradients and new weights, compared with the CPU device's.
import {classesOf, type Architecture} from '../net/architecture.ts';
import {Model} from '../net/model.ts';
import type {Precision} from '../net/options.ts';
import {Random} from './random.ts';
import {unitRoundoff, type Comparison} from './tolerance.ts';

/** Of a step that is compared with the CPU's, which has no TF32. */
export type StepPrecision = Exclude<Precision, 'tf32'>;

export interface StepTask {
	readonly architecture: Architecture;
	readonly precision: StepPrecision;
	/** Of initial weights, crops and dropout. */
	readonly seed: number;
	/** [N, imageSize, imageSize, 3] */
	readonly images: Uint8Array;
	readonly labels: Int32Array;
	/** [imageSize, imageSize, 3] */
	readonly mean: Float32Array;
}

type ByName = ReadonlyMap<string, Float32Array>;

export interface StepOutcome {
	readonly loss: number;
	readonly gradients: ByName;
	readonly before: ByName;
	readonly after: ByName;
}

export type TakeStep = (task: StepTask, devices: readonly string[]) => Promise<StepOutcome>;

/** How far a step on one device may be from another's, as shares. */
export interface StepBound {
	readonly loss: number;
	/** Of a tensor's norm. */
	readonly tensors: number;
}

/**
 * fp32: sums in another order, whose errors have either sign; two roundings for each pass that a gradient of the first
 * layer has behind it, forward and backward, cover them. bf16: two roundings for each exchange above the first layer,
 * where columns may meet from two devices; sums in another order before a rounding change few of the rounded values.
 */
export function stepBound({layers}: Architecture, precision: StepPrecision): number {
	const passes = 2 * layers.length;
	const meets = layers.filter(
		(layer) => layer.type === 'linear' || (layer.type === 'conv2d' && layer.reads === 'both'),
	);
	const exchanges = meets.length - 1;
	return precision === 'fp32' ? 2 * passes * unitRoundoff.float32 : 2 * exchanges * unitRoundoff.bfloat16;
}

/** Random pictures and labels, a random mean image. */
export function drawTask(
	architecture: Architecture,
	images: number,
	precision: StepPrecision,
	title: string,
): StepTask {
	const random = new Random(title);
	const {imageSize} = architecture;
	const classes = classesOf(architecture);
	const bytes = imageSize * imageSize * 3;
	return {
		architecture,
		precision,
		seed: random.integer(2 ** 31),
		images: new Uint8Array(images * bytes).map(() => random.integer(256)),
		labels: Int32Array.from({length: images}, () => random.integer(classes)),
		mean: new Float32Array(bytes).map(() => 100 + random.integer(56)),
	};
}

const pca = {values: Float32Array.of(900, 400, 100), vectors: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1)};

/**
 * Makes the net on these devices, a column on each of two, and takes its first step.
 *
 * @param threads of a CPU, at most; only where all devices are CPUs
 */
export async function takeStep(
	{architecture, precision, seed, images, labels, mean}: StepTask,
	devices: readonly string[],
	threads?: number,
): Promise<StepOutcome> {
	const names = Array.from({length: classesOf(architecture)}, (_, index) => `class ${index}`);
	const run = {devices, threads, precision, batchSize: labels.length};
	await using model = new Model({architecture, labels: names, ...run, seed});
	await model.initialize();
	model.statistics = {mean, pca};
	const before = await model.getParameters();
	const {loss} = await model.trainStep({images, labels});
	return {loss, before, gradients: await model.gradients(), after: await model.getParameters()};
}

/** Whether two steps gave the same bits. */
export function isSame(one: StepOutcome, other: StepOutcome): boolean {
	const bytes = (values: Float32Array): Uint8Array =>
		new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
	const same = (a: ByName, b: ByName): boolean =>
		[...a].every(([name, values]) => Buffer.compare(bytes(values), bytes(b.get(name) ?? new Float32Array())) === 0);
	return Object.is(one.loss, other.loss) && same(one.gradients, other.gradients) && same(one.after, other.after);
}

export function compareSteps(expected: StepOutcome, actual: StepOutcome, bound: StepBound): Comparison {
	const lossError = Math.abs(actual.loss - expected.loss) / (bound.loss * Math.abs(expected.loss));
	const found: Comparison[] = [
		{
			share: orInfinity(lossError),
			...(!(lossError <= 1) && {failure: `loss: ${actual.loss}, expected ${expected.loss}`}),
		},
	];
	for (const [name, values] of expected.gradients) {
		found.push(compareTensors(`gradient of ${name}`, values, actual.gradients.get(name), bound.tensors * norm(values)));
	}
	for (const [name, values] of expected.after) {
		const [from, to] = [expected.before.get(name), actual.after.get(name)];
		const update = values.map((value, i) => value - (from?.[i] ?? NaN));
		// The new weights are rounded once on each device.
		const permitted = bound.tensors * norm(update) + 2 * unitRoundoff.float32 * norm(values);
		found.push(compareTensors(`new ${name}`, values, to, permitted));
	}
	const share = Math.max(...found.map((one) => one.share));
	const failure = found.find((one) => one.failure !== undefined)?.failure;
	return {share, ...(failure !== undefined && {failure})};
}

/** @param permitted the norm that the difference may have */
function compareTensors(
	name: string,
	expected: Float32Array,
	actual: Float32Array | undefined,
	permitted: number,
): Comparison {
	if (actual?.length !== expected.length) return {share: Infinity, failure: `${name}: ${actual?.length ?? 0} elements`};
	const differences = expected.map((value, i) => Math.abs(value - (actual[i] ?? NaN)));
	const distance = norm(differences);
	const share = orInfinity(distance === 0 ? 0 : distance / permitted);
	if (share <= 1) return {share};
	// The one that is furthest away, or no number.
	const worst = differences.reduce((best, value, i) => (value <= (differences[best] ?? 0) ? best : i), 0);
	const [value, wanted] = [String(actual[worst]), String(expected[worst])];
	const times = Number.isFinite(share) ? `${share.toPrecision(3)} times the permitted distance` : 'no finite distance';
	return {share, failure: `${name}: ${times}; furthest is element ${worst}: ${value}, expected ${wanted}`};
}

function norm(values: Float32Array): number {
	return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}

function orInfinity(share: number): number {
	return Number.isNaN(share) ? Infinity : share;
}
