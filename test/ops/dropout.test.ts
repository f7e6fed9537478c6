import {operations} from '../../lib/ops.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {badArgument, testRefusals} from '../helpers/refusals.ts';
import {assertEqual} from '../helpers/tolerance.ts';
import {testCases} from '../helpers/cases.ts';

const seed = 0xfedcba98_76543210n;

testCases('dropout');

forEachDevice('dropout keeps a share of 1 - rate, other elements in every step and layer', async (t, bench) => {
	const length = 100_000;
	const input = bench.input([1, length], 'float32', new Float32Array(length).fill(1));
	const masks: boolean[][] = [];
	for (const [rate, step, layer] of [
		[0.5, 0, 6],
		[0.5, 1, 6],
		[0.5, 0, 7],
		[0.2, 0, 6],
	] as const) {
		const output = bench.output([1, length], 'float32');
		operations.dropout({input, output, rate, seed, step, layer, features: length});
		const mask = Array.from(await bench.read(output), (x) => x !== 0);
		// A binomial count is 5 standard deviations off once in 1.7 million draws.
		const kept = mask.filter(Boolean).length;
		const deviation = Math.sqrt(length * rate * (1 - rate));
		t.true(Math.abs(kept - length * (1 - rate)) < 5 * deviation, `rate ${rate}: ${kept} of ${length} kept`);
		masks.push(mask);
	}
	for (const other of masks.slice(1, 3)) {
		const equal = other.filter((alive, i) => alive === masks[0]![i]).length;
		t.true(Math.abs(equal - length / 2) < 5 * Math.sqrt(length / 4), `${equal} of ${length} agree`);
	}
});

forEachDevice('dropout of two halves is the dropout of the whole', async (t, bench) => {
	const images = 6;
	const width = 25;
	const values = bench.random.values(images * 2 * width, 1, 'float32');
	const whole = bench.output([images, 2 * width], 'float32');
	const common = {rate: 0.5, seed: 9, step: 2, layer: 7, features: 2 * width};
	operations.dropout({input: bench.input([images, 2 * width], 'float32', values), output: whole, ...common});
	const expected = await bench.read(whole);
	for (const offset of [0, width]) {
		const ofHalf = (all: Float64Array): Float64Array =>
			all.filter((_, i) => Math.floor((i % (2 * width)) / width) === offset / width);
		const output = bench.output([images, width], 'float32');
		operations.dropout({input: bench.input([images, width], 'float32', ofHalf(values)), output, ...common, offset});
		assertEqual(t, `half at ${offset}`, await bench.read(output), ofHalf(expected));
	}
});

testRefusals('dropout', {
	tensors: (make) => ({input: make([3, 7]), output: make([3, 7])}),
	options: {rate: 0.5, seed: 1, step: 2, layer: 3, features: 20, offset: 4},
	refused: [
		badArgument({rate: 1}, /rate must be at least 0 and below 1/),
		badArgument({rate: -0.1}, /rate must be at least 0 and below 1/),
		badArgument({rate: NaN}, /rate must be a finite number/),
		badArgument({offset: -1}, /offset and width must lie within features/),
		badArgument({offset: 14}, /offset and width must lie within features/),
		badArgument({features: undefined}, /features must be a finite number/),
		badArgument({seed: 0.5}, /seed must be/),
		badArgument({seed: -1n}, /seed must be/),
		badArgument({seed: 2n ** 64n}, /seed must be/),
		badArgument({step: -1}, /step must be an integer from 0 to 4294967295/),
		badArgument({layer: 2 ** 32}, /layer must be an integer from 0 to 4294967295/),
	],
});
