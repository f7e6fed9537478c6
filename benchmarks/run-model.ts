// Runs the trials of the whole net, through the API that users call: pictures of uint8 in, a result out.
import {AlexNet} from '../lib/classifier.ts';
import {AlexNetError} from '../lib/base/errors.ts';
import type {Precision, StepResult} from '../lib/net/options.ts';
import {randomBytes, randomLabels} from './random-inputs.ts';
import {clocksDuring} from './clocks.ts';
import type {Samples} from './run-operation.ts';
import {batchOf, type ModelTrial} from './trials.ts';

const classes = 1000;
/** Repetitions that are not counted: memory is touched for the first time, and the steps of two sets of inputs become graphs. */
const warmUp = 4;

export interface ModelTrialOptions {
	devices: readonly string[];
	threads?: number | undefined;
	precision: Precision;
	batchSize: number;
	repetitions: number;
}

/**
 * Milliseconds of a step, from the call to its end, or of a prediction, to its result; of `training`, from result to
 * result of steps as `train()` takes them, whose batches come while the steps before them are at work.
 *
 * @param pciAddress of the GPU, whose clocks are wanted
 */
export async function runModel(
	trial: ModelTrial,
	{devices, threads, precision, batchSize: asked, repetitions}: ModelTrialOptions,
	pciAddress?: string,
): Promise<Samples> {
	const batchSize = batchOf(trial, asked);
	// The start that learns soonest: losses stay finite however long the trial lasts.
	await using model = await AlexNet.create({classes, devices, threads, precision, batchSize, init: 'source2012'});
	model.sgd = {...model.sgd, learningRate: 0.001};
	const bytes = batchSize * model.architecture.imageSize ** 2 * 3;
	// As `train()` reads batches: into memory from which GPUs copy by themselves.
	const memory = model.hostPool.lend();
	const imagesOf = (seed: number): Uint8Array => {
		const images = trial === 'training' ? memory.take(bytes) : new Uint8Array(bytes);
		images.set(randomBytes(bytes, seed));
		return images;
	};
	const batches = [1, 2].map((seed) => ({
		images: imagesOf(seed),
		labels: randomLabels(batchSize, classes, seed),
		epoch: 1,
	}));
	const batchAt = (repetition: number): (typeof batches)[number] => batches[repetition % batches.length]!;
	const predict = (repetition: number): Promise<Float32Array> => model.predict(batchAt(repetition).images);
	const work: Readonly<Record<ModelTrial, (repetition: number) => Promise<Float32Array | StepResult>>> = {
		async 'train-step'(repetition) {
			const result = await model.trainStep(batchAt(repetition));
			await model.synchronize(); // the result comes before the backward pass has ended
			return result;
		},
		training: (repetition) =>
			model.trainStepBefore(batchAt(repetition), () => Promise.resolve(batchAt(repetition + 1))),
		inference: predict,
		'inference-1': predict,
	};
	let end = performance.now();
	const run = async (repetition: number): Promise<number> => {
		const start = trial === 'training' ? end : performance.now();
		const result = await work[trial](repetition);
		end = performance.now();
		if (result instanceof Float32Array) requireProbabilities(result, batchSize);
		else requireFinite(result.loss);
		return end - start;
	};
	const before = work[trial] === predict ? undefined : await model.getParameters();
	const milliseconds: number[] = [];
	for (let repetition = -warmUp; repetition < repetitions; ++repetition) {
		const taken = await run(repetition + warmUp);
		if (repetition >= 0) milliseconds.push(taken);
	}
	if (before) await requireChanged(model, before);
	if (pciAddress === undefined) return {milliseconds};
	return {milliseconds, clocks: await clocksDuring(pciAddress, () => run(0))};
}

function requireFinite(loss: number): void {
	if (Number.isFinite(loss)) return;
	throw new AlexNetError('ALEXNET_LOSS', `The training step's loss is ${loss}.`);
}

async function requireChanged(model: AlexNet, before: ReadonlyMap<string, Float32Array>): Promise<void> {
	for (const [name, values] of await model.getParameters()) {
		const old = before.get(name)!;
		if (values.every(Number.isFinite) && values.some((value, index) => value !== old[index])) continue;
		throw new AlexNetError('ALEXNET_OPERATION', `Training steps left ${name} unchanged, or not finite.`);
	}
}

function requireProbabilities(probabilities: Float32Array, pictures: number): void {
	for (let row = 0; row < pictures; ++row) {
		const sum = probabilities.subarray(row * classes, (row + 1) * classes).reduce((total, value) => total + value, 0);
		// fp32 rounds each of 1000 terms by at most 2^-24 of it.
		if (Math.abs(sum - 1) < 1e-4) continue;
		throw new AlexNetError('ALEXNET_OPERATION', `The probabilities of picture ${row} add up to ${sum}.`);
	}
}
