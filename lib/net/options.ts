// What models and their steps are given, and what they give back.
import type {Architecture} from './architecture.ts';
import {threadsCheck} from '../device/device.ts';
import {arrayOf, bytes, callback, distinctNames, either, flag, instanceOf, integer, integers} from '../base/check.ts';
import {listOf, must, needed, oneOf, options, text} from '../base/check.ts';
import type {Progress} from './progress.ts';
import {sgdOptions, type SgdOptions} from './sgd.ts';
import {augment, crops, pcaScale, type PcaScale} from '../data/views.ts';

/** What activations and multiplications use; see `RunOptions.precision`. */
export type Precision = 'fp32' | 'bf16';

/** Where and how a net computes: what `AlexNet.load` takes besides the path. */
export interface RunOptions {
	/**
	 * Where the columns live: both on one device, 'cpu' (default) or 'cuda:0', or each on its own, ['cpu:0', 'cpu:1'].
	 * Never replaced by another in silence.
	 */
	devices?: string | readonly string[] | undefined;
	/** What activations and multiplications use. Sums, losses and master weights are always fp32. Default 'fp32'. */
	precision?: Precision | undefined;
	/** Pictures in a training step, and at most so many at once in inference. Default 128. */
	batchSize?: number | undefined;
	/**
	 * CPU only: at most so many threads; two devices share them. Default: as many as affinity, a container's CPU quota,
	 * OMP_NUM_THREADS and OMP_THREAD_LIMIT allow; no more in any case.
	 */
	threads?: number | undefined;
	/**
	 * Takes no memory for momentum and gradients, two thirds of what a net in fp32 takes; it cannot be trained. (In bf16
	 * the fp32 weights stay, as what is saved, beside the copies that are multiplied.) Default false.
	 */
	inferenceOnly?: boolean | undefined;
}

export const runOptions = options<RunOptions>({
	devices: either(text, listOf(text), "a device's id, such as 'cuda:0', or an array of ids"),
	precision: oneOf(['fp32', 'bf16']),
	batchSize: integer(1),
	threads: threadsCheck,
	inferenceOnly: flag,
});

/** A net on its devices: what it is, where and how it computes, and how it learns. */
export interface ModelOptions extends RunOptions, SgdOptions {
	architecture: Architecture;
	/** A name for each output of the last layer. */
	labels: readonly string[];
	/** Decides initial weights, dropout masks, crops and the order of pictures. Default 0. */
	seed?: number | undefined;
	/** What scales PCA colour; see {@link PcaScale}. */
	pcaScale?: PcaScale | undefined;
}

const architecture = must<Architecture>('an architecture, with its layers', (value) => {
	return typeof value === 'object' && value !== null && 'layers' in value && Array.isArray(value.layers);
});

export const modelOptions = options<ModelOptions>({
	...runOptions.checks,
	...sgdOptions.checks,
	architecture: needed(architecture),
	labels: needed(distinctNames(1)),
	seed: integer(0),
	pcaScale,
});

/** What `trainStep` takes: a batch, and how it is seen. */
export interface TrainStepOptions {
	/** [N, imageSize, imageSize, 3]. Leave it as it is until the promise settles. */
	images: Uint8Array;
	/** A class index for each picture, 0 .. classes - 1. */
	labels: ArrayLike<number>;
	/** `paper` (default): random crop, mirror image and PCA colour. `none`: the centre crop. */
	augment?: 'paper' | 'none' | undefined;
	/** Whether the weights change. Default true. */
	update?: boolean | undefined;
	/** The pictures' places in their data set and the epoch, which decide the random views. */
	indices?: ArrayLike<number> | undefined;
	epoch?: number | undefined;
	/** What `model.progress` is after the step, if its loss is finite: no save falls between the two. */
	progress?: ((result: StepResult) => Progress) | undefined;
}

export const trainStepOptions = options<TrainStepOptions>({
	images: needed(bytes),
	labels: needed(arrayOf('class indices')),
	augment,
	update: flag,
	indices: integers(0),
	epoch: integer(0),
	progress: callback(),
});

/** What `predict` takes besides the pictures. */
export interface PredictOptions {
	/** Views whose probabilities are averaged: the centre, or the paper's ten (4.1). Default 1. */
	crops?: 1 | 10 | undefined;
	/** Rejects with the signal's reason at once; what waits for a batch leaves the queue. */
	signal?: AbortSignal | undefined;
}

export const predictOptions = options<PredictOptions>({crops, signal: instanceOf(AbortSignal)});

/** What a step says of its batch. */
export interface StepResult {
	/** Mean cross-entropy in nats, before the update. */
	loss: number;
	/** Share of pictures whose label was the best, or among the best five, of the outputs. */
	top1: number;
	top5: number;
}
