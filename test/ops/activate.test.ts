import {operations} from '../../lib/ops.ts';
import {realTypes} from '../../lib/selftest/bfloat16.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {activate} from '../../lib/selftest/reference/activate.ts';
import {badArgument, testRefusals} from '../helpers/refusals.ts';
import {testCases} from '../helpers/cases.ts';

testCases('activate', 'activateBackward');

const refusedActivations = [
	badArgument({activation: 'gelu'}, /activation must be 'none', 'relu', 'tanh' or 'sigmoid'/),
	badArgument({activation: 'none'}, /activation must be 'relu', 'tanh' or 'sigmoid'/),
	badArgument({activation: undefined}, /activation must be 'relu', 'tanh' or 'sigmoid'/),
];
testRefusals('activate', {
	tensors: (make) => ({input: make([3, 7]), output: make([3, 7])}),
	options: {activation: 'relu'},
	refused: refusedActivations,
});
testRefusals('activateBackward', {
	tensors: (make) => ({output: make([3, 7]), outputGradient: make([3, 7]), inputGradient: make([3, 7])}),
	options: {activation: 'tanh'},
	refused: refusedActivations,
});

/** Numbers whose products and sums overflow to either infinity, or to NaN where both meet, and numbers that do not. */
const magnitudes = {small: 1, 'overflowing sums': 1e19, 'overflowing products': 1e30};

for (const type of realTypes) {
	for (const [title, scale] of Object.entries(magnitudes)) {
		// One output is smaller than the operands, the other larger: a device may fuse in one and not in the other.
		for (const outputs of [8, 200]) {
			forEachDevice(`a fused relu is that of the product: ${title}, ${type}, ${outputs} outputs`, async (t, bench) => {
				const [pixels, inputs] = [36, 16];
				const draw = (length: number): Float64Array => bench.random.values(length, scale, type);
				const [values, factors, terms] = [draw(pixels * inputs), draw(outputs * inputs), draw(outputs)];
				const bias = bench.input([outputs], 'float32', terms);
				const results = async (activation: 'relu' | 'none'): Promise<Float64Array[]> => {
					const output = bench.output([1, 6, 6, outputs], type);
					operations.conv2d({
						input: bench.input([1, 6, 6, inputs], type, values),
						weights: bench.input([outputs, 1, 1, inputs], type, factors),
						pads: [0, 0, 0, 0],
						...{bias, output, activation},
					});
					const matrix = bench.output([pixels, outputs], type);
					operations.linear({
						input: bench.input([pixels, inputs], type, values),
						weights: bench.input([outputs, inputs], type, factors),
						...{bias, output: matrix, activation},
					});
					return [await bench.read(output), await bench.read(matrix)];
				};
				const expected = (await results('none')).map((sums) => sums.map((x) => activate('relu', x)));
				t.deepEqual(await results('relu'), expected);
			});
		}
	}
}
