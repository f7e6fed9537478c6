// A device may keep what it derives from weights, such as a packed copy, but not beyond their next change: whoever
// changes them, and through whatever view.
import {openDevice} from '../../lib/device/device.ts';
import type {NativeDevice} from '../../lib/device/native-device.ts';
import type {Tensor} from '../../lib/device/tensor.ts';
import {operations} from '../../lib/ops.ts';
import {realTypes, toBfloat16, type RealType} from '../../lib/selftest/bfloat16.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {linear, linearBackwardInput} from '../../lib/selftest/reference/linear.ts';
import {assertClose} from '../helpers/tolerance.ts';
import {atOnce} from '../helpers/at-once.ts';
import type {Workbench} from '../../lib/selftest/workbench.ts';

const [images, outputs, window] = [2, 32, [3, 3, 16]] as const;
const inputs = window[0] * window[1] * window[2];
const geometry = [images, inputs, outputs] as const;

const whole = [2 * outputs, inputs]; // the weights in use are the second half of a tensor that is changed as a whole
const length = 2 * outputs * inputs;

/** Every way to change `weights`, of which `half` is the second half. */
function changesOf(bench: Workbench, dataType: RealType, weights: Tensor, half: Tensor, other: NativeDevice) {
	const draw = (count = length): Float64Array => bench.random.values(count, 1, dataType);
	const step = (copy?: Tensor): void => {
		const parameter = {
			weights: copy ? bench.inPlace(whole, 'float32', draw()) : weights,
			velocity: bench.inPlace(whole, 'float32', draw()),
			gradient: bench.input(whole, 'float32', draw()),
			copy,
			learningRate: 1,
			weightDecay: 0,
		};
		operations.sgd({momentum: 0, parameters: [parameter]});
	};
	return {
		nobody: () => undefined,
		write: () => {
			const values = draw(length / 2);
			half.write(dataType === 'float32' ? Float32Array.from(values) : Uint16Array.from(values, toBfloat16));
		},
		copy: () => operations.copy({input: bench.input(whole, dataType, draw()), output: weights}),
		cast: () => operations.cast({input: bench.input(whole, 'float32', draw()), output: weights}),
		sgd: () => step(dataType === 'bfloat16' ? weights : undefined),
		fill: () => operations.fill({output: weights, value: 0.5}),
		'another device': () => {
			const source = other.allocate(whole, dataType);
			operations.fill({output: source, value: -0.25});
			operations.copy({input: source, output: weights});
		},
	};
}

for (const dataType of realTypes) {
	forEachDevice(`every change of ${dataType} weights is seen`, async (t, bench) => {
		const weights = bench.inPlace(whole, dataType, bench.random.values(length, 1, dataType));
		const byteOffset = (length / 2) * (dataType === 'float32' ? 4 : 2);
		const matrix = bench.view(weights, [outputs, inputs], byteOffset);
		const kernels = bench.view(weights, [outputs, ...window], byteOffset);
		const values = bench.random.values(images * inputs, 1, dataType);
		const gradients = bench.random.values(images * outputs, 1, dataType);
		const input = bench.input([images, inputs], dataType, values);
		const outputGradient = bench.input([images, outputs], dataType, gradients);
		// One window covers the picture, so that the convolution is the product.
		const asPicture = (tensor: Tensor): Tensor => bench.view(tensor, [images, ...window]);
		const asPixels = (tensor: Tensor): Tensor => bench.view(tensor, [images, 1, 1, outputs]);
		const pads = [0, 0, 0, 0] as const;
		const other = openDevice(bench.device.id);
		for (const [name, change] of Object.entries(changesOf(bench, dataType, weights, matrix, other))) {
			change();
			const [product, convolution] = [0, 1].map(() => bench.output([images, outputs], dataType)) as [Tensor, Tensor];
			const [back, convolvedBack] = [0, 1].map(() => bench.output([images, inputs], dataType)) as [Tensor, Tensor];
			operations.linear({input, weights: matrix, output: product});
			operations.conv2d({input: asPicture(input), weights: kernels, output: asPixels(convolution), pads});
			operations.linearBackwardInput({outputGradient, weights: matrix, inputGradient: back});
			operations.conv2dBackwardInput({
				outputGradient: asPixels(outputGradient),
				weights: kernels,
				inputGradient: asPicture(convolvedBack),
				pads,
			});
			const now = (await bench.read(weights)).subarray(length / 2);
			const forward = atOnce(linear(geometry, values, now));
			const backward = atOnce(linearBackwardInput(geometry, gradients, now));
			assertClose(t, `linear after ${name}`, await bench.read(product), forward, dataType);
			assertClose(t, `conv2d after ${name}`, await bench.read(convolution), forward, dataType);
			assertClose(t, `linearBackwardInput after ${name}`, await bench.read(back), backward, dataType);
			assertClose(t, `conv2dBackwardInput after ${name}`, await bench.read(convolvedBack), backward, dataType);
		}
		other.close();
	});
}

forEachDevice('weights of a new tensor are not taken for those of a disposed one', async (t, bench) => {
	const values = bench.random.values(images * inputs, 1, 'float32');
	const input = bench.input([images, inputs], 'float32', values);
	const output = bench.output([images, outputs], 'float32');
	for (let round = 0; round < 5; round++) {
		const matrix = Float32Array.from(bench.random.values(outputs * inputs, 1, 'float32'));
		const weights = bench.device.allocate([outputs, inputs], 'float32'); // often at the address of the one before
		weights.write(matrix);
		operations.linear({input, weights, output});
		const expected = atOnce(linear(geometry, values, Float64Array.from(matrix)));
		assertClose(t, `round ${round}`, await bench.read(output), expected, 'float32');
		weights.dispose();
	}
});
