// AlexNet on one screen.                                                                          paper 3.5, figure 2
import type {Architecture} from './architecture.ts';
import {checked, filled, flag, integer, needed, number, oneOf, option, options} from '../base/check.ts';
import {imageSize} from '../data/views.ts';
import type {Activation} from '../device/native.ts';
import type {ConvSpec} from './layers/conv2d.ts';
import type {LinearSpec} from './layers/linear.ts';
import type {LayerSpec} from './layers/registry.ts';
import {initials, presets, type Init, type Preset} from './presets.ts';
import {recipes} from './recipes.ts';

/** In which ways the net may differ from the one that the paper describes (3.5). */
export interface ArchitectureOptions {
	/** Outputs of the last layer. */
	classes: number;
	/** Whose net: `paper` is the NIPS 2012 text's. Default 'paper'. */
	preset?: Preset | undefined;
	/** How weights and biases start; `source2012` and `he` learn small sets where `paper` stays at chance. Default 'paper'. */
	init?: Init | undefined;
	/** Nonlinearity; `tanh` to compare, as figure 1 does. Default 'relu'. */
	activation?: 'relu' | 'tanh' | undefined;
	/** Local response normalization; without it the paper loses 1.4 % top-1 (3.3). Default true. */
	lrn?: boolean | undefined;
	/** Pooling windows, overlapped 3/2 or 2/2, which costs the paper 0.4 % top-1 (3.4). Default '3/2'. */
	pooling?: '3/2' | '2/2' | undefined;
	/** Share of fc6 and fc7 that is dropped in training, 0 for none (4.2). Default 0.5. */
	dropout?: number | undefined;
	/** Columns: 2, or the paper's half-size net of 1 (3.2): conv1-4 halved, the rest as it is. Default 2. */
	columns?: 1 | 2 | undefined;
}

/** Many more than any data set has, and few enough to have a name each. */
export const classCount = integer(2, 1_000_000);

export const architectureOptions = options<ArchitectureOptions>()({
	classes: needed(classCount),
	preset: option(oneOf(Object.keys(presets) as Preset[]), 'whose net', 'paper'),
	init: option(oneOf(Object.keys(initials) as Init[]), 'how weights and biases start', recipes.paper.create.init),
	activation: option(oneOf(['relu', 'tanh']), 'nonlinearity', 'relu'),
	lrn: option(flag, 'local response normalization', true),
	pooling: option(oneOf(['3/2', '2/2']), 'pooling windows, overlapped 3/2 or 2/2', '3/2'),
	dropout: option(number(0, 1), 'share of fc6 and fc7 that is dropped in training, 0 for none', 0.5),
	columns: option(oneOf([1, 2]), "columns: 2, or the paper's half-size net of 1", 2),
});

/** @param given may have other options besides, which are not looked at */
export function alexnet(given: ArchitectureOptions): Architecture {
	const chosen = checked('alexnet', architectureOptions, filled(architectureOptions, given));
	const {classes, preset, init, activation, lrn, pooling, dropout, columns} = chosen;
	const numbers = presets[preset];
	const initial = initials[init];
	const conv = (
		name: string,
		kernels: number,
		shape: Pick<ConvSpec, 'size' | 'reads'> & Partial<ConvSpec>,
	): ConvSpec => {
		const pad = (shape.size - 1) / 2;
		const rest = {stride: 1, pads: [pad, pad, pad, pad] as const, activation, initial: initial(name)};
		return {type: 'conv2d', name, kernels, ...rest, ...shape};
	};
	const normalize = (name: string): LayerSpec[] => (lrn ? [{type: 'lrn', name, ...numbers.lrn}] : []);
	const pool = (name: string): LayerSpec => ({type: 'maxPool', name, size: pooling === '3/2' ? 3 : 2, stride: 2});
	const linear = (name: string, outputs: number, act: Activation): LinearSpec => {
		return {type: 'linear', name, outputs, activation: act, initial: initial(name)};
	};
	const drop = (name: string): LayerSpec[] => (dropout > 0 ? [{type: 'dropout', name, rate: dropout}] : []);
	return {
		imageSize: imageSize.default,
		crop: numbers.crop,
		columns,
		layers: [
			// 224 is no multiple of 4 plus 11: the last window reads 3 pixels beyond the right and bottom edges.
			conv('conv1', 48 * columns, {size: 11, stride: 4, pads: [0, 0, 3, 3], reads: 'both'}),
			...normalize('lrn1'),
			pool('pool1'),
			conv('conv2', 128 * columns, {size: 5, reads: 'own'}),
			...normalize('lrn2'),
			pool('pool2'),
			conv('conv3', 192 * columns, {size: 3, reads: 'both'}),
			conv('conv4', 192 * columns, {size: 3, reads: 'own'}),
			conv('conv5', 256, {size: 3, reads: 'own'}),
			pool('pool5'),
			linear('fc6', 4096, activation),
			...drop('dropout6'),
			linear('fc7', 4096, activation),
			...drop('dropout7'),
			linear('fc8', classes, 'none'),
		],
	};
}
