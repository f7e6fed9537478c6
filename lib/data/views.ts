// Which part of a picture the net sees: crops, mirror images, PCA colour.                                    paper 4.1
import {floats, integer, needed, oneOf, option, options} from '../base/check.ts';
import {draws, normals, philox, uniformInteger} from '../base/random.ts';

/** What is known of a training set: its mean image, and how its RGB values vary. */
export interface Statistics {
	/** [imageSize, imageSize, 3], 0-255 scale. */
	mean: Float32Array;
	/** Principal components of the RGB values of all pixels, 0-255 scale, for training's colour noise (paper 4.1). */
	pca: {
		/** Eigenvalues of the covariance of RGB values, [3], descending. */
		values: Float32Array;
		/** Eigenvectors, [3, 3]: row i belongs to values[i]. */
		vectors: Float32Array;
	};
}

export const statisticsFields = options<Statistics>()({
	mean: needed(floats),
	pca: needed(options<Statistics['pca']>()({values: needed(floats), vectors: needed(floats)})),
});

/**
 * What multiplies the normal draws of PCA colour. The paper's text says the eigenvalues, variances in the thousands on
 * the 0-255 scale, which would wash every picture out; the released code takes their square roots, as we do by default.
 */
export type PcaScale = 'deviation' | 'eigenvalue';

export const pcaScale = option(oneOf(['deviation', 'eigenvalue']), 'what scales PCA colour', 'deviation');

/** What training sees of a picture. */
export const augment = option(oneOf(['paper', 'none']), 'random views as in the paper, or centre crops', 'paper');

/** How many views of a picture are averaged. */
export interface CropsOption {
	/** Views of a picture to average: 1 (the centre) or the paper's 10 (4.1). Default 1. */
	crops?: 1 | 10 | undefined;
}

export const crops = option(oneOf([1, 10]), "views of a picture to average: 1 (the centre) or the paper's 10", 1);

/** The paper scales pictures to 256 (section 2). */
export const imageSize = option(integer(1), 'side S of the decoded pictures', 256);

/** A row of augment's table: top, left, mirrored, and what is added to red, green and blue. */
export const viewWidth = 6;

export interface TrainingViews {
	imageSize: number;
	crop: number;
	statistics: Statistics;
	pcaScale: PcaScale;
	seed: number;
	epoch: number;
	/** The pictures' places in their data set. */
	indices: ArrayLike<number>;
}

/**
 * A random view of each picture: a crop at offsets 0 .. imageSize - crop - 1 (32 * 32 * 2 = 2048 views of 224 in 256),
 * mirrored half of the time, and colour noise once per picture and epoch.
 *
 * @returns [N, 6]
 */
export function trainingViews(options: TrainingViews): Float32Array {
	const {imageSize, crop, statistics, pcaScale, seed, epoch, indices} = options;
	const offsets = Math.max(1, imageSize - crop);
	const views = new Float32Array(indices.length * viewWidth);
	for (let row = 0; row < indices.length; ++row) {
		const index = indices[row] ?? 0;
		const [top, left, mirrored] = philox(seed, [index, epoch, 0, draws.views]);
		const [first, second, third, fourth] = philox(seed, [index, epoch, 1, draws.views]);
		const alphas = [...normals(first, second), normals(third, fourth)[0]];
		views.set(
			[uniformInteger(top, offsets), uniformInteger(left, offsets), uniformInteger(mirrored, 2)],
			row * viewWidth,
		);
		views.set(colour(alphas, statistics, pcaScale), row * viewWidth + 3);
	}
	return views;
}

function colour(normalDraws: readonly number[], {pca}: Statistics, scale: PcaScale): number[] {
	const sum = [0, 0, 0];
	for (let i = 0; i < 3; ++i) {
		const value = pca.values[i] ?? 0;
		const factor = 0.1 * (normalDraws[i] ?? 0) * (scale === 'deviation' ? Math.sqrt(Math.max(0, value)) : value);
		for (let channel = 0; channel < 3; ++channel) {
			sum[channel] = (sum[channel] ?? 0) + factor * (pca.vectors[i * 3 + channel] ?? 0);
		}
	}
	return sum;
}

/**
 * The views of test time: the centre (1), or the four corners and the centre, each also mirrored (10), over whose
 * softmax outputs the paper averages.
 *
 * @returns [crops, 6]
 */
export function testViews(crops: 1 | 10, imageSize: number, crop: number): Float32Array {
	const far = imageSize - crop;
	const centre = Math.floor(far / 2);
	if (crops === 1) return Float32Array.of(centre, centre, 0, 0, 0, 0);
	const places = [0, 0, 0, far, far, 0, far, far, centre, centre];
	const views = new Float32Array(10 * viewWidth);
	for (let view = 0; view < 10; ++view) {
		const place = view % 5;
		views.set([places[place * 2] ?? 0, places[place * 2 + 1] ?? 0, view < 5 ? 0 : 1], view * viewWidth);
	}
	return views;
}
