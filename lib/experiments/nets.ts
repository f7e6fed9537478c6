// The nets of the experiments: the paper's, one after its pattern for small pictures, and the four layers of figure 1.
import type {Nonlinearity} from '../device/operations.ts';
import type {Architecture} from '../net/architecture.ts';
import {initials, type Init} from '../net/initial.ts';
import {paper} from '../net/presets/paper.ts';
import {Parts, type PresetNet} from '../net/presets/parts.ts';
import {layerShapes, parametersOf} from '../net/shapes.ts';

/** The paper's layers on small pictures: LRN and overlapped pooling twice, columns that meet in conv3 and the linear layers. */
const small: PresetNet = {
	about: 'After the pattern of the paper, for pictures of 32 x 32.',
	crop: 28,
	columns: 2,
	init: 'he',
	lrn: {size: 5, alpha: 1e-4, beta: 0.75, k: 2},
	layers: (net, {columns, classes}) => [
		// 27 x 27, of which windows of 3 and of 2 make maps of the same size, as the paper's 55 x 55.
		net.conv('conv1', 16 * columns, {size: 5, pads: [2, 2, 1, 1], reads: 'both'}),
		...net.lrn('lrn1'),
		net.pool('pool1'),
		net.conv('conv2', 32 * columns, {size: 5, reads: 'own'}),
		...net.lrn('lrn2'),
		net.pool('pool2'),
		net.conv('conv3', 32 * columns, {size: 3, reads: 'both'}),
		// The half-size net keeps its last convolution, as the paper's does (3.2).
		net.conv('conv4', 64, {size: 3, reads: 'own'}),
		net.linear('fc6', 128),
		...net.dropout('dropout6'),
		net.linear('fc7', 128),
		...net.dropout('dropout7'),
		net.linear('fc8', classes, 'none'),
	],
};

/** Sums near 1 from pixels on, in which neither ReLU nor tanh is at a disadvantage at first. */
const pixels = {deviation: 0.0015, bias: 0};
const units = {gain: 1, bias: 0};

/** Four layers with weights, as in figure 1: no LRN, no dropout. */
const fourLayers: PresetNet = {
	about: 'Four layers for pictures of 32 x 32.',
	crop: 28,
	columns: 1,
	init: 'he',
	layers: (net, {classes}) => [
		net.conv('conv1', 32, {size: 5, reads: 'both', initial: pixels}),
		net.pool('pool1'),
		net.conv('conv2', 32, {size: 5, reads: 'both', initial: units}),
		net.pool('pool2'),
		net.conv('conv3', 64, {size: 5, reads: 'both', initial: units}),
		net.pool('pool3'),
		net.linear('fc8', classes, 'none'),
	],
};

const bases = {paper, small, fourLayers};

/** Which net an experiment's arms change. */
export type Base = keyof typeof bases;

/** In what an arm's net differs from its base; what is left out is as there. */
export interface NetChange {
	/** How weights and biases start. */
	readonly init?: Init | undefined;
	/** The start that biases are taken from. */
	readonly biases?: Init | undefined;
	readonly activation?: Nonlinearity | undefined;
	readonly lrn?: boolean | undefined;
	readonly pooling?: '3/2' | '2/2' | undefined;
	readonly dropout?: number | undefined;
	/** `half`: one of the two columns alone; `whole`: one column with as many parameters as two; `both`: no layer keeps to its own. */
	readonly columns?: 'half' | 'whole' | 'both' | undefined;
}

/** @param imageSize side of the decoded pictures */
export function netOf(base: Base, imageSize: number, classes: number, change: NetChange = {}): Architecture {
	const net = bases[base];
	const {init = net.init, activation = 'relu', lrn = true, pooling = '3/2', dropout = 0.5} = change;
	const parts = new Parts({init, activation, lrn: lrn ? net.lrn : undefined, pooling, dropout});
	const of = (columns: 1 | 2): Architecture => {
		return {imageSize, crop: net.crop, columns, layers: net.layers(parts, {columns, classes})};
	};
	const whole = of(net.columns);
	const changed = change.columns === undefined ? whole : columnsChanged(change.columns, whole, of(1));
	return change.biases === undefined ? changed : withBiases(changed, change.biases);
}

function columnsChanged(how: 'half' | 'whole' | 'both', whole: Architecture, half: Architecture): Architecture {
	if (how === 'half') return half;
	if (how === 'whole') return widened(half, parameters(whole));
	const layers = whole.layers.map((layer) =>
		'reads' in layer || layer.type === 'lrn' ? {...layer, reads: 'both'} : layer,
	);
	return {...whole, layers: layers as Architecture['layers']};
}

export function parameters(net: Architecture): number {
	return layerShapes(net, 1).reduce((sum, layer) => sum + parametersOf(layer), 0);
}

/** The net whose convolutions, but for the last, are all wider by the factor that comes nearest to so many parameters. */
function widened(net: Architecture, wanted: number): Architecture {
	const last = net.layers.findLast(({type}) => type === 'conv2d');
	const by = (factor: number): Architecture => {
		const layers = net.layers.map((layer) => {
			return layer.type === 'conv2d' && layer !== last
				? {...layer, kernels: Math.round(layer.kernels * factor)}
				: layer;
		});
		return {...net, layers};
	};
	const candidates = Array.from({length: 301}, (_, step) => by(1 + step / 100));
	const distance = (candidate: Architecture): number => Math.abs(parameters(candidate) - wanted);
	return candidates.reduce((best, other) => (distance(other) < distance(best) ? other : best), net);
}

function withBiases(net: Architecture, init: Init): Architecture {
	const layers = net.layers.map((layer) => {
		if (!('initial' in layer)) return layer;
		return {...layer, initial: {...layer.initial, bias: initials[init](layer.name).bias}};
	});
	return {...net, layers};
}
