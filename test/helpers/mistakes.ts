// Mistakes in a net, made on purpose: what the comparison with PyTorch must show to be worth something.
import type {LayerSpec} from '../../lib/net/layers/registry.ts';
import type {Precision} from '../../lib/net/options.ts';
import type {Setup} from './fixtures.ts';

type Change = (setup: Setup) => Setup;

interface Mistake {
	/** The fixture that shows it. */
	net: 'two-columns' | 'tanh' | 'odd' | 'orders';
	make: Change;
	/** Both, where not said: the effect of some is smaller than what bf16 rounding does in ten steps. */
	precisions?: readonly Precision[];
}

function layer(name: string, change: object): Change {
	return ({architecture, ...rest}) => {
		const changed = (spec: LayerSpec): LayerSpec => (spec.name === name ? {...spec, ...change} : spec);
		return {...rest, architecture: {...architecture, layers: architecture.layers.map(changed)}};
	};
}

function option(change: Partial<Setup['options']>): Change {
	return (setup) => ({...setup, options: {...setup.options, ...change}});
}

/** Fills the last two dimensions of weights [A, B, C] as if they came in the order [A, C, B]. */
function transpose(name: string, b: number, c: number): Change {
	return ({parameters, ...rest}) => {
		const old = parameters.get(name)!;
		const value = old.map((_, index) => {
			const inner = index % (b * c);
			return old[index - inner + (inner % b) * c + Math.floor(inner / b)]!;
		});
		return {...rest, parameters: new Map(parameters).set(name, value)};
	};
}

/** Puts the second half of a tensor before the first. */
function swapHalves(name: string): Change {
	return ({parameters, ...rest}) => {
		const old = parameters.get(name)!;
		const value = Float32Array.of(...old.subarray(old.length / 2), ...old.subarray(0, old.length / 2));
		return {...rest, parameters: new Map(parameters).set(name, value)};
	};
}

const reversePixels = (images: Uint8Array): Uint8Array =>
	images.map((_, index) => images[index - 2 * (index % 3) + 2]!);

export const mistakes: Readonly<Record<string, Mistake>> = {
	'LRN divides alpha by n': {net: 'two-columns', make: layer('lrn1', {alpha: 0.001 / 5})},
	'LRN sees three channels, not five': {net: 'two-columns', make: layer('lrn2', {size: 3})},
	"LRN's k is 1": {net: 'two-columns', make: layer('lrn1', {k: 1})},
	"LRN's beta is 0.5": {net: 'two-columns', make: layer('lrn1', {beta: 0.5})},
	'LRN ends with its column': {net: 'orders', make: layer('lrn2', {reads: 'own'}), precisions: ['fp32']},
	'LRN goes on into the other column': {net: 'orders', make: layer('lrn1', {reads: 'both'})},
	'a ReLU apart is a tanh': {net: 'orders', make: layer('relu1', {activation: 'tanh'})},
	'dropout of pixels drops less': {net: 'orders', make: layer('dropout3', {rate: 0.1})},
	'conv1 is padded at the top and the left': {net: 'two-columns', make: layer('conv1', {pads: [3, 3, 0, 0]})},
	'conv1 is padded on all sides': {net: 'two-columns', make: layer('conv1', {pads: [1, 1, 2, 2]})},
	"conv4's columns change places": {net: 'two-columns', make: swapHalves('conv4.weight')},
	'fc6 reads pixels before channels': {net: 'two-columns', make: transpose('fc6.weight', 32, 2 * 2)},
	"conv2's kernels are transposed": {net: 'two-columns', make: transpose('conv2.weight', 5, 5)},
	'a ReLU is missing': {net: 'two-columns', make: layer('fc7', {activation: 'none'})},
	'a ReLU stands for a tanh': {net: 'tanh', make: layer('fc4', {activation: 'relu'})},
	'blue is read as red': {net: 'two-columns', make: (setup) => ({...setup, images: reversePixels(setup.images)})},
	'no mean is subtracted': {net: 'two-columns', make: (setup) => ({...setup, mean: setup.mean.map(() => 0)})},
	'labels are one off': {
		net: 'two-columns',
		make: (setup) => ({...setup, labels: setup.labels.map((label) => (label + 1) % 4)}),
	},
	'dropout has another seed': {net: 'odd', make: option({seed: 6})},
	'dropout drops less': {net: 'odd', make: layer('dropout4', {rate: 0.25})},
	'biases learn no faster than weights': {net: 'odd', make: option({biasLearningRateScale: 1})},
	'biases learn twice as fast': {net: 'tanh', make: option({biasLearningRateScale: 2})},
	'weights do not decay': {net: 'two-columns', make: option({weightDecay: 0}), precisions: ['fp32']},
	'biases do not decay': {net: 'odd', make: option({biasWeightDecay: 0}), precisions: ['fp32']},
	'biases decay': {net: 'two-columns', make: option({biasWeightDecay: 0.0005}), precisions: ['fp32']},
	'momentum is 0.95': {net: 'tanh', make: option({momentum: 0.95}), precisions: ['fp32']},
	'the learning rate is 1 % higher': {net: 'tanh', make: option({learningRate: 0.00101}), precisions: ['fp32']},
};
