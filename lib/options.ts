// What models and their steps are given, and what they give back.
import type {Architecture} from './architecture.ts';
import type {SgdOptions} from './sgd.ts';
import type {PcaScale} from './views.ts';

export type Precision = 'fp32' | 'bf16';

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
}

export interface ModelOptions extends RunOptions, SgdOptions {
	architecture: Architecture;
	/** A name for each output of the last layer. */
	labels: readonly string[];
	/** Decides initial weights, dropout masks, crops and the order of pictures. Default 0. */
	seed?: number | undefined;
	/** What scales PCA colour; see {@link PcaScale}. */
	pcaScale?: PcaScale | undefined;
}

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
}

export interface StepResult {
	/** Mean cross-entropy in nats, before the update. */
	loss: number;
	/** Share of pictures whose label was the best, or among the best five, of the outputs. */
	top1: number;
	top5: number;
}
