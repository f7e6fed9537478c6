// Softmax, the cross-entropy of a label and how often the label was the best and among the five best logits.
import {accumulation, Sums} from '../tolerance.ts';

function rows(logits: Float64Array, classes: number): Float64Array[] {
	return Array.from({length: logits.length / classes}, (_, n) => logits.subarray(n * classes, (n + 1) * classes));
}

/** probabilities [N, K] */
export function softmax(logits: Float64Array, classes: number): Float64Array {
	return Float64Array.from(
		rows(logits, classes).flatMap((row) => {
			const largest = Math.max(...row);
			const powers = Array.from(row, (z) => Math.exp(z - largest));
			const sum = powers.reduce((a, b) => a + b);
			return powers.map((power) => power / sum);
		}),
	);
}

/**
 * Sum over the images of log(sum exp z) - z[label], and the label's rank: below it are better logits, and equal ones
 * of lower classes. A picture with a logit that is not a number is wrong.
 */
export function softmaxLoss(
	logits: Float64Array,
	labels: Int32Array,
	classes: number,
): {loss: number; top1: number; top5: number} {
	let loss = 0;
	let top1 = 0;
	let top5 = 0;
	rows(logits, classes).forEach((row, n) => {
		const label = labels[n]!;
		const own = row[label]!;
		const largest = Math.max(...row);
		const sum = row.reduce((total, z) => total + Math.exp(z - largest), 0);
		loss += Math.log(sum) + (largest - own);
		const rank = row.filter((z, k) => z > own || (z === own && k < label)).length;
		if (row.some(Number.isNaN)) return;
		if (rank < 1) top1++;
		if (rank < 5) top5++;
	});
	return {loss, top1, top5};
}

/** d(mean loss) / d(logits) [N, K] = (probability - [class is the label]) / N */
export function softmaxLossGradient(logits: Float64Array, labels: Int32Array, classes: number): Sums {
	const gradient = new Sums(logits.length);
	softmax(logits, classes).forEach((probability, i) => {
		gradient.add(i, probability / labels.length);
		if (i % classes === labels[Math.floor(i / classes)]) gradient.add(i, -1 / labels.length);
	});
	return gradient;
}

/**
 * exp(z - max): rounding the difference changes the power by |z - max| roundings, at most 88 of them before it is zero
 * in fp32; the power function adds up to 4 units in the last place, 8 roundings.
 */
function powerRoundings(logits: Float64Array): number {
	const finite = logits.filter(Number.isFinite);
	const range = finite.reduce((a, b) => Math.max(a, b)) - finite.reduce((a, b) => Math.min(a, b));
	return Math.min(88, range) + 8;
}

/** The sum of the powers has their error and its own; one division. */
export function softmaxRoundings(logits: Float64Array, classes: number): number {
	return 2 * powerRoundings(logits) + accumulation(classes) + 1;
}

/** The gradient subtracts 1 and divides by N. */
export function lossGradientRoundings(logits: Float64Array, classes: number): number {
	return softmaxRoundings(logits, classes) + 2;
}

/**
 * Each loss is log(sum) + (max - z): positive terms. The sum's error passes through the logarithm, whose argument is at
 * least 1, as an absolute one.
 */
export function lossSums(loss: number, images: number): Sums {
	const sums = new Sums(1);
	sums.add(0, loss);
	sums.terms[0] = loss + images;
	return sums;
}

/** N losses are added. */
export function lossRoundings(logits: Float64Array, classes: number): number {
	return powerRoundings(logits) + accumulation(classes) + accumulation(logits.length / classes) + 4;
}
