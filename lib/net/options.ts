// What models and their steps are given, and what they give back.
import type {Architecture} from './architecture.ts';
import {group, wire, type Group, type Slice, type Wire} from './group.ts';
import {deviceOptions, type DeviceOptions} from '../device/device.ts';
import {
	arrayOf,
	bytes,
	callback,
	distinctNames,
	either,
	fields,
	flag,
	instanceOf,
	integer,
	integers,
} from '../base/check.ts';
import {listOf, must, needed, oneOf, option, options, text} from '../base/check.ts';
import type {Progress} from './progress.ts';
import {recipes} from './recipes.ts';
import {seed} from '../base/random.ts';
import {sgdOptions, type SgdOptions} from './sgd.ts';
import {augment, crops, pcaScale, type CropsOption, type PcaScale} from '../data/views.ts';

/** What activations and multiplications use; see `RunOptions.precision`. */
export type Precision = 'fp32' | 'tf32' | 'bf16';

/** Where and how a net computes: what `AlexNet.load` takes besides the path. */
export interface RunOptions extends DeviceOptions {
	/**
	 * Where the columns live: both on one device, such as 'cuda:0', or each on its own, ['cpu:0', 'cpu:1']. Never replaced
	 * by another in silence. Default 'cpu'.
	 */
	devices?: string | readonly string[] | undefined;
	/**
	 * Type of activations and multiplications. Sums, losses and master weights are always fp32. 'tf32' is fp32 whose
	 * multiplications tensor cores do, of operands with 10 bits of fraction; for GPUs from compute capability 8.0 on.
	 * Default 'fp32'.
	 */
	precision?: Precision | undefined;
	/** Pictures in a training step, and at most so many at once in inference. Default: as the checkpoint says. */
	batchSize?: number | undefined;
	/**
	 * Takes no memory for momentum and gradients, two thirds of what a net in fp32 takes; it cannot be trained. (In bf16
	 * the fp32 weights stay, as what is saved, beside the copies that are multiplied.) Default false.
	 */
	inferenceOnly?: boolean | undefined;
	/**
	 * Ranks that train one net together, each on its share of every batch: `await mpiGroup()` of 'alexnet-cuda/mpi'. Each
	 * has a model with the same options, and all do the same.
	 */
	group?: Group | undefined;
	/**
	 * Type of gradients between ranks. 'bf16' sends half the bytes: each rank's gradients and their sums are rounded to 8
	 * significant bits, to the nearest. All else stays as it is, sums and weights in fp32. Default 'fp32'.
	 */
	wire?: Wire | undefined;
}

const batchSize = option(integer(1), 'pictures in a training step, and at most so many at once in inference');

export const runOptions = options<RunOptions>()({
	...deviceOptions.checks,
	devices: option(
		either(text, listOf(text), "a device's id, such as 'cuda:0', or an array of ids"),
		'where the columns live',
		'cpu',
	),
	precision: option(oneOf(['fp32', 'tf32', 'bf16']), 'type of activations and multiplications', 'fp32'),
	batchSize,
	inferenceOnly: option(flag, 'takes no memory for momentum and gradients', false),
	group,
	wire,
});

/** A net on its devices: what it is, where and how it computes, and how it learns. */
export interface ModelOptions extends RunOptions, SgdOptions {
	/** Its last layer has an output for each label. */
	architecture: Architecture;
	/** A name for each output of the last layer. */
	labels: readonly string[];
	/** Pictures in a training step, and at most so many at once in inference. Default 128. */
	batchSize?: number | undefined;
	/** Decides initial weights, dropout masks, crops and the order of pictures. Default 0. */
	seed?: number | undefined;
	/** What scales PCA colour: standard deviations, or the paper's eigenvalues; see {@link PcaScale}. Default 'deviation'. */
	pcaScale?: PcaScale | undefined;
	/**
	 * Layers that keep their weights in training, by name: ['conv1', 'conv2']. They take no memory for momentum and
	 * gradients, and nothing is computed backward below the lowest layer that learns.
	 */
	freeze?: readonly string[] | undefined;
}

const architecture = must<Architecture>('an architecture, with its layers', (value) => {
	return typeof value === 'object' && value !== null && 'layers' in value && Array.isArray(value.layers);
});

/** What a model may be told besides its net. */
export const settingChecks = {
	...runOptions.checks,
	...sgdOptions.checks,
	batchSize: option(batchSize, batchSize.help, recipes.paper.create.batchSize),
	seed: seed('decides initial weights, dropout masks, crops and the order of pictures'),
	pcaScale,
	freeze: option(distinctNames(0), 'layers that keep their weights in training, by name'),
};

export const modelOptions = options<ModelOptions>()({
	...settingChecks,
	architecture: needed(architecture),
	labels: needed(distinctNames(1)),
});

/** What `trainStep` takes: a batch, and how it is seen. */
export interface TrainStepOptions {
	/** [N, imageSize, imageSize, 3]. Leave it as it is until the promise settles. */
	images: Uint8Array;
	/** A class index for each picture, 0 .. classes - 1. */
	labels: ArrayLike<number>;
	/** Random views as in the paper, or centre crops: 'paper' or 'none'. Default 'paper'. */
	augment?: 'paper' | 'none' | undefined;
	/** Whether the weights change. Default true. */
	update?: boolean | undefined;
	/** The pictures' places in their data set, which decide the random views. Default: their places in the batch. */
	indices?: ArrayLike<number> | undefined;
	/**
	 * Where these pictures are in a batch of all ranks of the model's group. Default: all ranks have as many, in the order
	 * of the ranks.
	 */
	slice?: Slice | undefined;
	/** Which epoch it is: in each, a picture has another random view. Default: the updates made so far. */
	epoch?: number | undefined;
	/** What `model.progress` is after the step, if its loss is finite: no save falls between the two. */
	progress?: ((result: StepResult) => Progress) | undefined;
}

export const trainStepOptions = options<TrainStepOptions>()({
	images: needed(bytes),
	labels: needed(arrayOf('class indices')),
	augment,
	update: option(flag, 'whether the weights change', true),
	indices: integers(0),
	slice: fields<Slice>({start: integer(0), total: integer(1)}),
	epoch: integer(0),
	progress: callback(),
});

/** What `predict` takes besides the pictures. */
export interface PredictOptions extends CropsOption {
	/** Rejects with the signal's reason at once; what waits for a batch leaves the queue. */
	signal?: AbortSignal | undefined;
}

export const predictOptions = options<PredictOptions>()({crops, signal: instanceOf(AbortSignal)});

/** What a step says of its batch. */
export interface StepResult {
	/** Mean cross-entropy in nats, before the update. */
	loss: number;
	/** Share of pictures whose label had the largest output, from 0 to 1. */
	top1: number;
	/** Share of pictures whose label was among the five largest outputs, from 0 to 1. */
	top5: number;
}
