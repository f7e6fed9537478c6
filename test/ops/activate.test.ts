import {operations} from '../../lib/ops.ts';
import {realTypes} from '../../lib/selftest/bfloat16.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {activate, activateBackward} from '../../lib/selftest/reference/activate.ts';
import {badArgument, testRefusals} from '../helpers/refusals.ts';
import {Sums, tanhRoundings} from '../../lib/selftest/tolerance.ts';
import {assertClose} from '../helpers/tolerance.ts';

const shapes: {shape: number[]; misaligned?: true}[] = [
	{shape: [2, 7, 5, 48]},
	{shape: [3, 5, 5, 7]},
	{shape: [1, 1, 1, 1]},
	{shape: [17, 65]},
	{shape: [1000]},
	{shape: [3, 35], misaligned: true},
];

for (const dataType of realTypes) {
	for (const activation of ['relu', 'tanh'] as const) {
		for (const {shape, misaligned} of shapes) {
			const length = shape.reduce((a, b) => a * b);
			for (const inPlace of [false, true]) {
				const title = `${activation} ${dataType} [${shape.join(', ')}]${inPlace ? ' in place' : ''}`;
				forEachDevice(
					`${title}${misaligned ? ', views' : ''}`,
					async (t, bench) => {
						const values = bench.random.values(length, 4, dataType);
						const input = inPlace ? bench.inPlace(shape, dataType, values) : bench.input(shape, dataType, values);
						const output = inPlace ? input : bench.output(shape, dataType);
						operations.activate({input, output, activation});
						const expected = new Sums(length);
						values.forEach((x, i) => expected.add(i, activate(activation, x)));
						const roundings = (): number => (activation === 'relu' ? 0 : tanhRoundings);
						assertClose(t, 'output', await bench.read(output), expected, dataType, roundings);
					},
					{misaligned},
				);
				forEachDevice(
					`backward of ${title}${misaligned ? ', views' : ''}`,
					async (t, bench) => {
						// relu gives zeros, and no gradient where it does.
						const outputs = bench.random.values(length, 0.99, dataType);
						if (activation === 'relu') outputs.forEach((y, i) => (outputs[i] = Math.max(0, y)));
						const gradients = bench.random.values(length, 1, dataType);
						const outputGradient = inPlace
							? bench.inPlace(shape, dataType, gradients)
							: bench.input(shape, dataType, gradients);
						const inputGradient = inPlace ? outputGradient : bench.output(shape, dataType);
						operations.activateBackward({
							output: bench.input(shape, dataType, outputs),
							outputGradient,
							inputGradient,
							activation,
						});
						// Three operations: y * y, 1 - y * y, and times the gradient.
						const expected = activateBackward(activation, outputs, gradients);
						assertClose(t, 'inputGradient', await bench.read(inputGradient), expected, dataType, () => 3);
					},
					{misaligned},
				);
			}
		}
	}
}

const refusedActivations = [
	badArgument({activation: 'gelu'}, /activation must be 'none', 'relu' or 'tanh'/),
	badArgument({activation: 'none'}, /activation must be 'relu' or 'tanh'/),
	badArgument({activation: undefined}, /activation must be 'relu' or 'tanh'/),
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
