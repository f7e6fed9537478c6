import {operations} from '../../lib/ops.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {badArgument, testRefusals} from '../helpers/refusals.ts';
import {testCases} from '../helpers/cases.ts';

testCases('normal');

forEachDevice('normal: the shape and the deviation of a parameter do not change its draws', async (t, bench) => {
	const one = bench.output([6, 5, 5, 3], 'float32');
	const other = bench.output([450], 'float32');
	operations.normal({output: one, seed: 3, stream: 1, deviation: 1});
	operations.normal({output: other, seed: 3, stream: 1, deviation: 2});
	const [single, double] = [await bench.read(one), await bench.read(other)];
	t.deepEqual(
		single.map((x) => 2 * x),
		double,
	);
});

/** The standard normal's distribution function, by the series of the error function (Abramowitz and Stegun 26.2.10). */
function cumulative(x: number): number {
	if (Math.abs(x) > 6) return x > 0 ? 1 : 0;
	let term = x;
	let sum = x;
	for (let n = 1; Math.abs(term) > 1e-17; n++) {
		term *= (-x * x * (2 * n - 1)) / (2 * n * (2 * n + 1));
		sum += term;
	}
	return 0.5 + sum / Math.sqrt(2 * Math.PI);
}

forEachDevice('normal draws are standard normal, and streams and seeds are independent', async (t, bench) => {
	const length = 100_000;
	const samples: Float64Array[] = [];
	for (const [sampleSeed, stream] of [
		[11, 0],
		[11, 1],
		[12, 0],
	] as const) {
		const output = bench.output([length], 'float32');
		operations.normal({output, seed: sampleSeed, stream, deviation: 1});
		samples.push(await bench.read(output));
	}
	const mean = (values: Float64Array): number => values.reduce((a, b) => a + b) / length;
	// Each moment's sample mean is 5 standard errors off once in 1.7 million draws: 1/sqrt(n) for the mean, sqrt(2/n) for
	// the mean square (variance of x^2 is 2), sqrt(96/n) for the mean fourth power (variance of x^4 is 96).
	for (const sample of samples) {
		t.true(Math.abs(mean(sample)) < 5 / Math.sqrt(length), 'mean');
		t.true(Math.abs(mean(sample.map((x) => x ** 2)) - 1) < 5 * Math.sqrt(2 / length), 'mean square');
		t.true(Math.abs(mean(sample.map((x) => x ** 4)) - 3) < 5 * Math.sqrt(96 / length), 'mean fourth power');
		// Kolmogorov-Smirnov: the largest distance exceeds 2.23 / sqrt(n) once in 10,000 draws.
		const distance = sample
			.toSorted()
			.reduce((largest, x, i) => Math.max(largest, Math.abs(cumulative(x) - (i + 0.5) / length)), 0);
		t.true(distance < 2.23 / Math.sqrt(length), 'distance of the distributions');
	}
	// The correlation of independent samples has a standard error of 1/sqrt(n); so has that of neighbours in one.
	const correlation = (a: Float64Array, b: Float64Array): number => mean(a.map((x, i) => x * b[i]!));
	const [first, ...others] = samples as [Float64Array, ...Float64Array[]];
	const shifted = Float64Array.of(...first.subarray(1), first[0]!);
	for (const other of [...others, shifted]) t.true(Math.abs(correlation(first, other)) < 5 / Math.sqrt(length));
});

testRefusals('normal', {
	tensors: (make) => ({output: make([3, 5])}),
	options: {seed: 1, stream: 2, deviation: 0.01},
	anyShape: ['output'],
	refused: [
		badArgument({deviation: Infinity}, /deviation must be a finite number/),
		badArgument({seed: 'one'}, /seed must be/),
		badArgument({stream: -1}, /stream must be an integer from 0 to 4294967295/),
	],
});
