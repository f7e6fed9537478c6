// The operations that do the work of several layers in one pass, as the net's plans run them (lib/net/layers/layer.ts).
import {native} from '../lib/device/native.ts';
import type {LrnOptions, PoolOptions} from '../lib/device/operations.ts';
import type {DataType} from '../lib/device/tensor.ts';
import {lrnColumns} from '../lib/net/layers/lrn.ts';
import type {LayerSpec} from '../lib/net/layers/registry.ts';
import type {ShapedLayer} from '../lib/net/shapes.ts';
import {input, output, trial, type OperationTrial} from './operation.ts';

interface Net {
	readonly layers: readonly ShapedLayer[];
	readonly real: DataType;
	readonly columns: number;
}

interface Fused {
	/** Behind which trial they come. */
	readonly after: string;
	readonly trials: readonly OperationTrial[];
	/** Names of the trials whose work they do. */
	readonly replaced: readonly string[];
}

/** The trials with those of the fused operations among them; a step and inference make no calls of what these replace. */
export function withFused(trials: readonly OperationTrial[], net: Net): OperationTrial[] {
	const all = net.layers.flatMap((_, index) => fusedAt(net, index));
	const replaced = new Set(all.flatMap((fused) => fused.replaced));
	return trials.flatMap((each) => [
		replaced.has(each.name) ? {...each, inTraining: 0, inInference: 0} : each,
		...all
			.filter(({after}) => after === each.name)
			.flatMap(({trials: own, replaced: replaces}) => own.map((fused) => ({...fused, replaces}))),
	]);
}

/** What begins below the max pooling at a place. */
function fusedAt({layers, real, columns}: Net, index: number): Fused[] {
	const place = layers[index]!;
	const [below, under] = [layers[index - 1], layers[index - 2]];
	const {spec: pool} = place;
	if (pool.type !== 'maxPool' || !below) return [];
	const after = `${pool.name}-backward`;
	if (below.spec.type === 'lrn') {
		const {name, size, alpha, beta, k} = below.spec;
		const lrn = {columns: lrnColumns(below.spec, columns), size, alpha, beta, k};
		const activation = under && endsInRelu(under.spec) ? 'relu' : 'none';
		const names = [`${name}-forward`, `${name}-backward`, `${pool.name}-forward`, after];
		const replaced = activation === 'relu' ? [...names, `${under!.spec.name}-relu-backward`] : names;
		return [
			{after, replaced, trials: lrnMaxPoolTrials(`${name}-${pool.name}`, below, place, real, lrn, pool, activation)},
		];
	}
	if (!endsInRelu(below.spec)) return [];
	const replaced = [after, `${below.spec.name}-relu-backward`];
	return [{after, replaced, trials: [maxPoolReluTrial(`${below.spec.name}-${pool.name}-backward`, place, real, pool)]}];
}

function endsInRelu(spec: LayerSpec): boolean {
	return (spec.type === 'conv2d' || spec.type === 'linear') && spec.activation === 'relu';
}

function lrnMaxPoolTrials(
	name: string,
	{input: shape}: ShapedLayer,
	{output: result}: ShapedLayer,
	real: DataType,
	lrn: LrnOptions,
	{size, stride}: PoolOptions,
	activation: 'none' | 'relu',
): OperationTrial[] {
	const options = {lrn, pool: {size, stride}};
	const forward = trial({
		name: `${name}-forward`,
		inInference: 1,
		tensors: {input: input(shape, real), output: output(result, real)},
		workspaceBytes: (tensors) => native.maxPoolWorkspaceBytes({...tensors, size, stride}),
		run: (tensors) => native.lrnMaxPool({...tensors, ...options}),
	});
	const backward = trial({
		name: `${name}-backward`,
		tensors: {
			input: input(shape, real),
			outputGradient: input(result, real),
			inputGradient: output(shape, real),
			// The forward pass's, which fills the workspace.
			output: {...output(result, real), bytes: 0},
		},
		workspaceBytes: (tensors) =>
			native.maxPoolWorkspaceBytes({input: tensors.input, output: tensors.output, size, stride}),
		prepare: ({input: activations, output: pooled, workspace}) =>
			native.lrnMaxPool({input: activations, output: pooled, workspace, ...options}),
		run: ({input: activations, outputGradient, inputGradient, workspace}) => {
			if (!workspace) throw new Error('Max pooling keeps its maxima in a workspace.');
			native.lrnMaxPoolBackward({input: activations, outputGradient, inputGradient, workspace, activation, ...options});
		},
	});
	return [forward, backward];
}

function maxPoolReluTrial(
	name: string,
	{input: shape, output: result}: ShapedLayer,
	real: DataType,
	{size, stride}: PoolOptions,
): OperationTrial {
	return trial({
		name,
		tensors: {
			outputGradient: input(result, real),
			output: input(result, real),
			inputGradient: output(shape, real),
			// The forward pass's, which is not touched again.
			input: {...input(shape, real), bytes: 0},
		},
		workspaceBytes: (tensors) =>
			native.maxPoolWorkspaceBytes({input: tensors.input, output: tensors.output, size, stride}),
		prepare: ({input: activations, output: pooled, workspace}) =>
			native.maxPool({input: activations, output: pooled, workspace, size, stride}),
		run: ({outputGradient, output: pooled, inputGradient, workspace}) => {
			if (!workspace) throw new Error('Max pooling keeps its maxima in a workspace.');
			const tensors = {outputGradient, output: pooled, inputGradient, workspace};
			native.maxPoolBackward({...tensors, activation: 'relu', size, stride});
		},
	});
}
