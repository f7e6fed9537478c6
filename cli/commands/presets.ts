import {Argument, type Command} from 'commander';
import {alexnet} from '../../lib/net/alexnet.ts';
import {byKind, type ByKind} from '../../lib/net/layers/registry.ts';
import {presets, type Preset} from '../../lib/net/presets/index.ts';
import {layerShapes, multiplicationsOf, parametersOf} from '../../lib/net/shapes.ts';
import {table} from '../format.ts';
import {Output} from '../output.ts';
import {addOptions, commonChecks} from '../parse.ts';

const names = Object.keys(presets) as Preset[];
/** ImageNet's. */
const classes = 1000;

/** What sets a layer apart from others of its kind. */
const details: ByKind<[], string> = {
	conv2d: ({size, stride, pads, reads, activation}) =>
		`${size}x${size} stride ${stride} pads ${pads.join(' ')}, reads ${reads}, ${activation}`,
	lrn: ({size, alpha, beta, k, reads = 'own'}) => `n ${size}, alpha ${alpha}, beta ${beta}, k ${k}, reads ${reads}`,
	maxPool: ({size, stride}) => `${size}x${size} stride ${stride}`,
	activate: ({activation}) => activation,
	linear: ({activation}) => activation,
	dropout: ({rate}) => `rate ${rate}`,
};

interface DescribedLayer {
	name: string;
	type: string;
	/** [H, W, C] or [I]. */
	output: readonly number[];
	parameters: number;
	/** Of a forward pass of one picture, each with an addition. */
	multiplications: number;
	details: string;
}

interface DescribedPreset {
	preset: Preset;
	about: string;
	crop: number;
	columns: number;
	/** How weights start. */
	init: string;
	parameters: number;
	multiplications: number;
	layers: DescribedLayer[];
}

function describe(preset: Preset): DescribedPreset {
	const architecture = alexnet({preset, classes});
	const layers = layerShapes(architecture, 1).map((layer) => ({
		...{name: layer.spec.name, type: layer.spec.type, output: layer.output.slice(1)},
		...{parameters: parametersOf(layer), multiplications: multiplicationsOf(layer)},
		details: byKind(details, layer.spec),
	}));
	const {crop, columns} = architecture;
	const sum = (of: (layer: DescribedLayer) => number): number => layers.reduce((total, layer) => total + of(layer), 0);
	return {
		...{preset, about: presets[preset].about, crop, columns, init: presets[preset].init},
		...{parameters: sum((layer) => layer.parameters), multiplications: sum((layer) => layer.multiplications)},
		layers,
	};
}

const grouped = (count: number): string => count.toLocaleString('en-US');
const millions = (count: number): string => (count / 1e6).toFixed(1);

/** One line for each preset: the numbers in which they differ. */
function compare(described: readonly DescribedPreset[]): string {
	const rows = described.map(({preset, crop, columns, init, parameters, multiplications}) => {
		return [preset, String(crop), String(columns), init, grouped(parameters), millions(multiplications)];
	});
	return table(['preset', 'crop', 'columns', 'init', 'parameters', 'million MACs'], rows);
}

function tell({preset, about, layers}: DescribedPreset): string {
	const rows = layers.map(({name, output, parameters, multiplications, details: more}) => {
		return [name, output.join('x'), grouped(parameters), millions(multiplications), more];
	});
	return `\n${preset}: ${about}\n${table(['layer', 'output', 'parameters', 'million MACs', ''], rows)}`;
}

export function addPresets(program: Command): void {
	const command = program
		.command('presets')
		.summary('the AlexNets that there are, layer by layer')
		.description(
			'Tell the nets that --preset and create() take, and how they differ: layers, shapes, parameters and ' +
				`multiplications with additions (MACs) of a forward pass of one picture, at ${grouped(classes)} classes.`,
		)
		.addArgument(new Argument('[preset]', 'one of them alone').choices(names));
	addOptions(command, commonChecks, '--json');
	command.action((preset: Preset | undefined, {json}: {json?: boolean}) => {
		const output = new Output({json});
		const described = (preset === undefined ? names : [preset]).map(describe);
		if (output.isJson) {
			output.json({classes, presets: described});
			return;
		}
		output.result([compare(described), ...described.map(tell)].join('\n'));
	});
}
