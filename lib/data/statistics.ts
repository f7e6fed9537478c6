// A training set's mean image and the principal components of its colours.                              paper 4.1
import type {Statistics} from './views.ts';

/**
 * Sums pictures [S, S, 3] up. All sums are of whole numbers below 2^53 (up to two million pictures of 256 x 256), so
 * they are exact and the order of the pictures does not matter.
 */
export class StatisticsSums {
	#pictures = 0;
	readonly #pixels: Float64Array; // [S, S, 3]
	readonly #products = new Float64Array(6); // rr, rg, rb, gg, gb, bb over all pixels

	constructor(imageSize: number) {
		this.#pixels = new Float64Array(imageSize * imageSize * 3);
	}

	/** About a millisecond at 256 x 256. */
	add(picture: Uint8Array): void {
		const sums = this.#pixels;
		let [rr, rg, rb, gg, gb, bb] = [0, 0, 0, 0, 0, 0];
		for (let at = 0; at < sums.length; at += 3) {
			const r = picture[at] ?? 0;
			const g = picture[at + 1] ?? 0;
			const b = picture[at + 2] ?? 0;
			sums[at] = (sums[at] ?? 0) + r;
			sums[at + 1] = (sums[at + 1] ?? 0) + g;
			sums[at + 2] = (sums[at + 2] ?? 0) + b;
			rr += r * r;
			rg += r * g;
			rb += r * b;
			gg += g * g;
			gb += g * b;
			bb += b * b;
		}
		[rr, rg, rb, gg, gb, bb].forEach((sum, i) => (this.#products[i] = (this.#products[i] ?? 0) + sum));
		this.#pictures += 1;
	}

	/** A few milliseconds at 256 x 256. (Float32Array.from() with a function took a hundred, mostly for its garbage.) */
	result(): Statistics {
		const sums = this.#pixels;
		const mean = new Float32Array(sums.length);
		const channel = new Float64Array(3);
		for (let at = 0; at < sums.length; at++) {
			const sum = sums[at] ?? 0;
			mean[at] = sum / this.#pictures;
			channel[at % 3] = (channel[at % 3] ?? 0) + sum;
		}
		const count = (sums.length / 3) * this.#pictures;
		const [r = 0, g = 0, b = 0] = channel.map((sum) => sum / count);
		const [rr = 0, rg = 0, rb = 0, gg = 0, gb = 0, bb = 0] = this.#products.map((sum) => sum / count);
		const covariance: Symmetric3 = [rr - r * r, rg - r * g, rb - r * b, gg - g * g, gb - g * b, bb - b * b];
		const components = principalComponents(covariance);
		return {
			mean,
			pca: {
				values: Float32Array.from(components, ({value}) => value),
				vectors: Float32Array.from(components.flatMap(({vector}) => vector)),
			},
		};
	}
}

/** Upper triangle of a symmetric 3 x 3 matrix by rows: 00, 01, 02, 11, 12, 22. */
export type Symmetric3 = readonly [number, number, number, number, number, number];

/** Eigenvalues, descending and not below 0, and unit eigenvectors of a covariance matrix, by Jacobi's rotations. */
export function principalComponents([a, b, c, d, e, f]: Symmetric3): {value: number; vector: number[]}[] {
	const matrix = [
		[a, b, c],
		[b, d, e],
		[c, e, f],
	];
	const vectors = [
		[1, 0, 0],
		[0, 1, 0],
		[0, 0, 1],
	];
	// Convergence is quadratic: a handful of sweeps leaves off-diagonal elements that round to nothing.
	for (let sweep = 0; sweep < 12; sweep++) {
		rotate(matrix, vectors, 0, 1);
		rotate(matrix, vectors, 0, 2);
		rotate(matrix, vectors, 1, 2);
	}
	return vectors
		.map((vector, i) => ({value: Math.max(0, matrix[i]?.[i] ?? 0), vector: withPositivePeak(vector)}))
		.sort((first, second) => second.value - first.value);
}

/** One Jacobi rotation in the plane of axes p and q: makes matrix[p][q] zero, and turns rows p and q of vectors along. */
function rotate(matrix: number[][], vectors: number[][], p: number, q: number): void {
	const [rowP, rowQ] = [matrix[p] ?? [], matrix[q] ?? []];
	const [pp = 0, pq = 0, qq = 0] = [rowP[p], rowP[q], rowQ[q]];
	if (pq === 0) return;
	const theta = (qq - pp) / (2 * pq);
	const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
	const cosine = 1 / Math.hypot(tangent, 1);
	const sine = tangent * cosine;
	const turn = (row: number[], other: number[], i: number): void => {
		const [x = 0, y = 0] = [row[i], other[i]];
		row[i] = cosine * x - sine * y;
		other[i] = sine * x + cosine * y;
	};
	for (let i = 0; i < 3; i++) turn(rowP, rowQ, i);
	for (const row of matrix)
		[row[p], row[q]] = [cosine * (row[p] ?? 0) - sine * (row[q] ?? 0), sine * (row[p] ?? 0) + cosine * (row[q] ?? 0)];
	for (let i = 0; i < 3; i++) turn(vectors[p] ?? [], vectors[q] ?? [], i);
}

/** An eigenvector's sign is free; this one makes results repeatable. */
function withPositivePeak(vector: number[]): number[] {
	const peak = vector.reduce((best, x) => (Math.abs(x) > Math.abs(best) ? x : best), 0);
	return peak < 0 ? vector.map((x) => -x) : vector;
}
