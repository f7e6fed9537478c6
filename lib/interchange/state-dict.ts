// Parameters under the names that PyTorch's programs have for them, and the nets that the names tell of.
import {checked, recordOf, text} from '../base/check.ts';
import {parseShallow} from '../base/json.ts';
import type {Metadata} from '../checkpoint/safetensors-header.ts';
import {architectureCheck, type Architecture} from '../net/architecture.ts';
import {NetBuilder, type FileTensor} from './net-builder.ts';
import type {ReadNet} from './read-net.ts';

export type StateDict = ReadonlyMap<string, FileTensor>;

/** The mean image's name in files of ours: planes, [3, imageSize, imageSize]. */
export const meanName = 'mean';

type Step = {readonly module: string; readonly stride?: number; readonly pad?: number} | 'pool' | 'dropout';

/** torchvision's alexnet: its modules, and what weights do not say of convolutions. */
const torchvision: readonly Step[] = [
	{module: 'features.0', stride: 4, pad: 2},
	'pool',
	{module: 'features.3', stride: 1, pad: 2},
	'pool',
	...['features.6', 'features.8', 'features.10'].map((module) => ({module, stride: 1, pad: 1})),
	'pool',
	'dropout',
	{module: 'classifier.1'},
	'dropout',
	{module: 'classifier.4'},
	{module: 'classifier.6'},
];

const modules = torchvision.flatMap((step) => (typeof step === 'string' ? [] : [step.module]));
/** What it reads where nobody says otherwise. */
const usualCrop = 224;

/**
 * A net of parameters by name.
 *
 * @param metadata files of ours tell their net there
 * @throws an error where the names are of no net that is known.
 */
export function netOfStateDict(tensors: StateDict, metadata: Metadata, crop?: number): ReadNet {
	if (metadata.architecture !== undefined) return ours(tensors, metadata);
	if (modules.every((module) => tensors.has(`${module}.weight`))) return torchvisions(tensors, crop ?? usualCrop);
	const found = [...tensors.keys()].slice(0, 3).join(', ');
	throw new Error(`its tensors are named ${found} …, where torchvision's alexnet has ${modules.join(', ')}`);
}

function torchvisions(tensors: StateDict, crop: number): ReadNet {
	const builder = new NetBuilder(crop);
	for (const step of torchvision) {
		if (step === 'pool') {
			builder.pooling({size: 3, stride: 2, windows: (pixels) => Math.floor((pixels - 3) / 2) + 1});
		} else if (step === 'dropout') builder.dropout(0.5);
		else {
			const {module, stride, pad = 0} = step;
			const [weight, bias] = [find(tensors, `${module}.weight`), find(tensors, `${module}.bias`)];
			if (stride === undefined) builder.linear({weight, bias});
			else builder.convolution({weight, bias, stride, pads: [pad, pad, pad, pad], groups: 1});
			if (module !== modules.at(-1)) builder.activation('relu');
		}
	}
	return {...builder.build(), preset: 'owt'};
}

function find(tensors: StateDict, name: string): FileTensor {
	const tensor = tensors.get(name);
	if (tensor) return tensor;
	throw new Error(`it has no ${name}`);
}

function ours(tensors: StateDict, {architecture = '', names = '{}', labels, pca}: Metadata): ReadNet {
	const net = parseShallow(architecture) as Architecture;
	checked('architecture', architectureCheck, net);
	const moduleOf = checked('names', recordOf(text), parseShallow(names));
	const own = net.layers.flatMap(({name}) => {
		return ['weight', 'bias'].flatMap((part): [string, FileTensor][] => {
			const tensor = tensors.get(`${moduleOf[name] ?? name}.${part}`);
			return tensor ? [[`${name}.${part}`, tensor]] : [];
		});
	});
	return {...net, tensors: new Map(own), mean: find(tensors, meanName), labels, pca};
}

/** The modules of a net whose layers are torchvision's, by layer; none for another net, whose parameters keep our names. */
export function modulesOf({columns, layers}: Architecture): Readonly<Record<string, string>> {
	const kinds = layers.flatMap(({type}) => (type === 'dropout' ? [] : [type]));
	const products = layers.filter(({type}) => type === 'conv2d' || type === 'linear');
	const theirs = torchvision.flatMap((step) => {
		if (step === 'dropout') return [];
		return step === 'pool' ? 'maxPool' : step.stride === undefined ? 'linear' : 'conv2d';
	});
	if (columns !== 1 || kinds.join() !== theirs.join()) return {};
	return Object.fromEntries(products.map(({name}, place) => [name, modules[place] ?? name]));
}
