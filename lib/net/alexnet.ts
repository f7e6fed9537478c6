// The nets that go by a preset and a few choices. Each preset is a screen in lib/net/presets/.
import {checked, filled, flag, integer, needed, number, oneOf, option, options} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import {imageSize} from '../data/views.ts';
import {nonlinearities, type Nonlinearity} from '../device/operations.ts';
import type {Architecture} from './architecture.ts';
import {initials, type Init} from './initial.ts';
import {presets, type Preset} from './presets/index.ts';
import {Parts} from './presets/parts.ts';

/** Which net it is, and in which ways it differs from that one (paper 3.5). */
export interface ArchitectureOptions {
	/** Outputs of the last layer. */
	classes: number;
	/** Whose net it is; see {@link Preset}. Default 'paper'. */
	preset?: Preset | undefined;
	/**
	 * How weights and biases start; see {@link Init}. `source2012` and `he` learn small sets where `paper` stays at chance.
	 * Default: the preset's, `he` for owt.
	 */
	init?: Init | undefined;
	/** Nonlinearity; `tanh` to compare, as figure 1 does, or `sigmoid`. Default 'relu'. */
	activation?: Nonlinearity | undefined;
	/** Local response normalization, where the preset has it; without it the paper loses 1.4 % top-1 (3.3). Default true. */
	lrn?: boolean | undefined;
	/** Pooling windows, overlapped 3/2 or 2/2, which costs the paper 0.4 % top-1 (3.4). Default '3/2'. */
	pooling?: '3/2' | '2/2' | undefined;
	/** Share of what dropout layers read that is dropped in training, 0 for none (4.2). Default 0.5. */
	dropout?: number | undefined;
	/**
	 * Columns: 2, or the paper's half-size net of 1 (3.2): conv1-4 halved, the rest as it is. Default: the preset's, 2 but
	 * for owt.
	 */
	columns?: 1 | 2 | undefined;
}

/** Many more than any data set has, and few enough to have a name each. */
export const classCount = integer(2, 1_000_000);

export const architectureOptions = options<ArchitectureOptions>()({
	classes: needed(classCount),
	preset: option(oneOf(Object.keys(presets) as Preset[]), 'whose net it is', 'paper'),
	init: option(oneOf(Object.keys(initials) as Init[]), 'how weights and biases start'),
	activation: option(oneOf(nonlinearities), 'nonlinearity', 'relu'),
	lrn: option(flag, 'local response normalization', true),
	pooling: option(oneOf(['3/2', '2/2']), 'pooling windows, overlapped 3/2 or 2/2', '3/2'),
	dropout: option(number(0, 1), 'share of what dropout layers read that is dropped in training, 0 for none', 0.5),
	columns: option(oneOf([1, 2]), "columns: 2, or the paper's half-size net of 1"),
});

/** How the weights of such a net start. */
export function initOf({
	preset = architectureOptions.checks.preset.default,
	init = presets[preset].init,
}: Pick<ArchitectureOptions, 'preset' | 'init'>): Init {
	return init;
}

/**
 * The architecture of a preset.
 *
 * @throws ALEXNET_ARGUMENT for an option that cannot be, or not with the preset.
 */
export function alexnet(given: ArchitectureOptions): Architecture {
	const chosen = checked('alexnet', architectureOptions, given);
	const {classes, preset, activation, pooling, dropout} = chosen;
	const net = presets[preset];
	const {columns = net.columns} = chosen;
	if (columns > net.columns) {
		const message = `columns must be ${net.columns} with the preset '${preset}', got ${columns}.`;
		throw new AlexNetError('ALEXNET_ARGUMENT', message);
	}
	const parts = new Parts({init: initOf(chosen), activation, lrn: chosen.lrn ? net.lrn : undefined, pooling, dropout});
	return {imageSize: imageSize.default, crop: net.crop, columns, layers: net.layers(parts, {columns, classes})};
}

type Choices = Omit<ArchitectureOptions, 'classes'>;
const choices = Object.keys(architectureOptions.checks).filter((name) => name !== 'classes') as (keyof Choices)[];

/**
 * The net that is given whole, as a checkpoint will hold it, or else the preset's.
 *
 * @param given may have other options besides, which are not looked at
 * @throws ALEXNET_ARGUMENT for a whole net and options that change a preset.
 */
export function chosenArchitecture(
	given: Choices & {readonly architecture?: Architecture | undefined},
	classes: number,
): Architecture {
	const {architecture} = given;
	if (!architecture) return alexnet(filled(architectureOptions, {...given, classes}));
	const both = choices.filter((name) => given[name] !== undefined);
	if (both.length === 0) return JSON.parse(JSON.stringify(architecture)) as Architecture;
	const message = `architecture is a whole net, and ${both.join(', ')} would change a preset: leave out either.`;
	throw new AlexNetError('ALEXNET_ARGUMENT', message);
}
