// The operations of the net at its real shapes, one trial each. Shapes, bytes and operations follow from the
// architecture, so another architecture needs no other list.
import type {Architecture} from '../lib/net/architecture.ts';
import type {ActivateSpec} from '../lib/net/layers/activate.ts';
import type {ConvSpec} from '../lib/net/layers/conv2d.ts';
import type {DropoutSpec} from '../lib/net/layers/dropout.ts';
import type {LinearSpec} from '../lib/net/layers/linear.ts';
import {lrnColumns, type LrnSpec} from '../lib/net/layers/lrn.ts';
import type {MaxPoolSpec} from '../lib/net/layers/max-pool.ts';
import {byKind, type ByKind} from '../lib/net/layers/registry.ts';
import {bytesOfTensor, elementsOf} from '../lib/device/memory.ts';
import {native} from '../lib/device/native.ts';
import type {Activation} from '../lib/device/operations.ts';
import type {DataType, Shape} from '../lib/device/tensor.ts';
import type {Precision} from '../lib/net/options.ts';
import {layerShapes, type ShapedLayer} from '../lib/net/shapes.ts';
import {trainingViews, viewWidth} from '../lib/data/views.ts';
import {withFused} from './fused-trials.ts';
import {inPlace, input, inputOf, output, trial, weights, type OperationTrial} from './operation.ts';
import {randomBytes, randomLabels} from './random-inputs.ts';

/** In the order of a training step's forward pass; each layer's backward operations follow its forward one. */
export function operationTrials(architecture: Architecture, batchSize: number, precision: Precision): OperationTrial[] {
	const real = precision === 'bf16' ? 'bfloat16' : 'float32';
	const tf32 = precision === 'tf32';
	const {columns} = architecture;
	const layers = layerShapes(architecture, batchSize);
	const [first, last] = [layers[0]!, layers.at(-1)!];
	const found = layers.map((layer) => byKind(trialsOf, layer.spec, {...layer, real, tf32, columns}));
	const parameters = found.flatMap(({parameters: own = []}) => own);
	return [
		augmentTrial(architecture, first.input, real),
		...withFused(
			found.flatMap(({trials}) => trials),
			{layers, real, columns},
		),
		...[softmaxLossTrial(last.output, real), sgdTrial(parameters, real), castTrial(parameters)],
	];
}

const elementBytesOf = (real: DataType): number => bytesOfTensor([1], real);

interface Place extends ShapedLayer {
	real: DataType;
	tf32: boolean;
	columns: number;
}

interface LayerTrials {
	trials: OperationTrial[];
	/** In the order of the device's memory. */
	parameters?: Shape[];
}

const trialsOf: ByKind<[Place], LayerTrials> = {
	conv2d: convTrials,
	lrn: (spec, place) => ({trials: lrnTrials(spec, place)}),
	maxPool: (spec, place) => ({trials: poolTrials(spec, place)}),
	activate: (spec, place) => ({trials: activateTrials(spec, place)}),
	linear: linearTrials,
	dropout: (spec, place) => ({trials: [dropoutTrial(spec, place)]}),
};

function convTrials(spec: ConvSpec, {input: shape, output: result, real, tf32, columns, isFirst}: Place): LayerTrials {
	const {name, kernels, size, stride, pads, activation} = spec;
	const channels = shape[3] ?? 0;
	const groups = spec.reads === 'own' ? columns : 1;
	const filter = [kernels, size, size, channels / groups];
	const geometry = {stride, pads, groups, tf32};
	const operations = 2 * elementsOf(result) * size * size * (channels / groups);
	const pixels = (of: Shape): number => elementsOf(of.slice(0, 3));
	const window = (size * size * channels) / groups;
	const product = {groups, elementBytes: elementBytesOf(real)};
	const forward = trial({
		name: `${name}-forward`,
		operations,
		product: {...product, rows: pixels(result), columns: kernels / groups, depth: window},
		inInference: 1,
		tensors: {
			input: input(shape, real),
			weights: weights(filter, real),
			bias: weights([kernels], 'float32'),
			output: output(result, real),
		},
		run: (tensors) => native.conv2d({...tensors, ...geometry, activation}),
	});
	const weightGradient = trial({
		name: `${name}-weight-gradient`,
		operations,
		product: {...product, rows: kernels / groups, columns: window, depth: pixels(result)},
		tensors: {
			input: input(shape, real),
			outputGradient: input(result, real),
			weightGradient: output(filter, 'float32'),
			biasGradient: output([kernels], 'float32'),
		},
		run: (tensors) => native.conv2dBackwardWeights({...tensors, ...geometry}),
	});
	const inputGradient = trial({
		name: `${name}-input-gradient`,
		operations,
		product: {...product, rows: pixels(shape), columns: channels / groups, depth: (size * size * kernels) / groups},
		tensors: {
			outputGradient: input(result, real),
			weights: weights(filter, real),
			inputGradient: output(shape, real),
		},
		run: (tensors) => native.conv2dBackwardInput({...tensors, ...geometry}),
	});
	const backward = [...activationTrials(name, activation, result, real), weightGradient];
	// Nobody asks for the gradient of the pictures.
	const trials = [forward, ...backward, ...(isFirst ? [] : [inputGradient])];
	return {trials, parameters: [filter, [kernels]]};
}

function linearTrials(
	{name, outputs, activation}: LinearSpec,
	{input: shape, output: result, real, tf32, isLast}: Place,
): LayerTrials {
	const [images = 0, ...features] = shape;
	const inputs = elementsOf(features);
	const matrix = [outputs, inputs];
	const operations = 2 * images * inputs * outputs;
	const flat = [images, inputs];
	const product = {groups: 1, elementBytes: elementBytesOf(real)};
	const trials = [
		trial({
			name: `${name}-forward`,
			operations,
			product: {...product, rows: images, columns: outputs, depth: inputs},
			inInference: 1,
			tensors: {
				input: input(flat, real),
				weights: weights(matrix, real),
				bias: weights([outputs], 'float32'),
				// Logits are fp32 in every precision.
				output: output(result, isLast ? 'float32' : real),
			},
			run: (tensors) => native.linear({...tensors, activation, tf32}),
		}),
		...activationTrials(name, activation, result, real),
		trial({
			name: `${name}-weight-gradient`,
			operations,
			product: {...product, rows: outputs, columns: inputs, depth: images},
			tensors: {
				input: input(flat, real),
				outputGradient: input(result, real),
				weightGradient: output(matrix, 'float32'),
				biasGradient: output([outputs], 'float32'),
			},
			run: (tensors) => native.linearBackwardWeights({...tensors, tf32}),
		}),
		trial({
			name: `${name}-input-gradient`,
			operations,
			product: {...product, rows: images, columns: inputs, depth: outputs},
			tensors: {
				outputGradient: input(result, real),
				weights: weights(matrix, real),
				inputGradient: output(flat, real),
			},
			run: (tensors) => native.linearBackwardInput({...tensors, tf32}),
		}),
	];
	return {trials, parameters: [matrix, [outputs]]};
}

function activationTrials(layer: string, activation: Activation, shape: Shape, real: DataType): OperationTrial[] {
	if (activation === 'none') return [];
	return [
		trial({
			name: `${layer}-${activation}-backward`,
			tensors: {output: input(shape, real), gradient: inPlace(shape, real)},
			run: ({output, gradient}) =>
				native.activateBackward({output, outputGradient: gradient, inputGradient: gradient, activation}),
		}),
	];
}

function activateTrials({name, activation}: ActivateSpec, {input: shape, real}: Place): OperationTrial[] {
	const forward = trial({
		name: `${name}-forward`,
		inInference: 1,
		tensors: {input: input(shape, real), output: output(shape, real)},
		run: (tensors) => native.activate({...tensors, activation}),
	});
	return [forward, ...activationTrials(name, activation, shape, real)];
}

function lrnTrials(spec: LrnSpec, {input: shape, real, columns}: Place): OperationTrial[] {
	const {name, size, alpha, beta, k} = spec;
	const options = {columns: lrnColumns(spec, columns), size, alpha, beta, k};
	return [
		trial({
			name: `${name}-forward`,
			inInference: 1,
			tensors: {input: input(shape, real), output: output(shape, real)},
			workspaceBytes: (tensors) => native.lrnWorkspaceBytes({...tensors, ...options}),
			run: (tensors) => native.lrn({...tensors, ...options}),
		}),
		trial({
			name: `${name}-backward`,
			tensors: {
				input: input(shape, real),
				outputGradient: input(shape, real),
				inputGradient: output(shape, real),
			},
			workspaceBytes: ({input, inputGradient}) => native.lrnWorkspaceBytes({input, output: inputGradient, ...options}),
			// The forward pass leaves in the workspace what the backward pass needs; where its output goes is no matter.
			prepare: ({input, inputGradient, workspace}) => native.lrn({input, output: inputGradient, workspace, ...options}),
			run: (tensors) => native.lrnBackward({...tensors, ...options}),
		}),
	];
}

function poolTrials({name, size, stride}: MaxPoolSpec, {input: shape, output: result, real}: Place): OperationTrial[] {
	const options = {size, stride};
	const forward = trial({
		name: `${name}-forward`,
		inInference: 1,
		tensors: {input: input(shape, real), output: output(result, real)},
		workspaceBytes: (tensors) => native.maxPoolWorkspaceBytes({...tensors, ...options}),
		run: (tensors) => native.maxPool({...tensors, ...options}),
	});
	const backward = trial({
		name: `${name}-backward`,
		tensors: {
			outputGradient: input(result, real),
			inputGradient: output(shape, real),
			// The forward pass's tensors, which fill the workspace and are not touched again.
			input: {...input(shape, real), bytes: 0},
			output: {...output(result, real), bytes: 0},
		},
		workspaceBytes: ({input, output}) => native.maxPoolWorkspaceBytes({input, output, ...options}),
		prepare: ({input, output, workspace}) => native.maxPool({input, output, workspace, ...options}),
		run: ({outputGradient, inputGradient, workspace}) => {
			if (!workspace) throw new Error('Max pooling keeps its maxima in a workspace.');
			native.maxPoolBackward({outputGradient, inputGradient, workspace, ...options});
		},
	});
	return [forward, backward];
}

function dropoutTrial({name, rate}: DropoutSpec, {input: shape, real}: Place): OperationTrial {
	const features = shape.at(-1) ?? 0;
	const rows = [elementsOf(shape) / features, features];
	return trial({
		name,
		// Forward and backward are the same call.
		inTraining: 2,
		tensors: {input: input(rows, real), output: output(rows, real)},
		run: (tensors) => native.dropout({...tensors, rate, seed: 1, step: 1, layer: 0, features}),
	});
}

function augmentTrial({imageSize, crop}: Architecture, shape: Shape, real: DataType): OperationTrial {
	const [images = 0] = shape;
	const pictures = [images, imageSize, imageSize, 3];
	const mean = [imageSize, imageSize, 3];
	const statistics = {
		mean: new Float32Array(elementsOf(mean)),
		pca: {values: Float32Array.of(9000, 500, 100), vectors: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1)},
	};
	const indices = Array.from({length: images}, (_, index) => index);
	const views = (): Float32Array =>
		trainingViews({imageSize, crop, statistics, pcaScale: 'deviation', seed: 1, epoch: 1, indices});
	return trial({
		name: 'augment',
		inInference: 1,
		tensors: {
			images: {
				...inputOf(pictures, 'uint8', () => randomBytes(elementsOf(pictures), 1)),
				// Only the crop has to be read.
				bytes: elementsOf(shape),
			},
			views: inputOf([images, viewWidth], 'float32', views),
			mean: input(mean, 'float32', 100),
			output: output(shape, real),
		},
		run: (tensors) => native.augment(tensors),
	});
}

function softmaxLossTrial(shape: Shape, real: DataType): OperationTrial {
	const [images = 0, classes = 0] = shape;
	return trial({
		name: 'softmax-loss',
		tensors: {
			logits: input(shape, 'float32'),
			labels: inputOf([images], 'int32', () => randomLabels(images, classes, 1)),
			result: output([3], 'float32'),
			gradient: output(shape, real),
		},
		run: (tensors) => native.softmaxLoss(tensors),
	});
}

/** The update of all parameters at once. */
function sgdTrial(parameters: readonly Shape[], real: DataType): OperationTrial {
	const hasCopy = (shape: Shape): boolean => real === 'bfloat16' && shape.length > 1;
	const tensors = parameters.flatMap((shape, index) => [
		[`weights${index}`, inPlace(shape, 'float32', 0.01)] as const,
		[`velocity${index}`, inPlace(shape, 'float32', 1e-4)] as const,
		[`gradient${index}`, input(shape, 'float32', 1e-3)] as const,
		...(hasCopy(shape) ? [[`copy${index}`, output(shape, real)] as const] : []),
	]);
	return trial({
		name: 'sgd',
		tensors: Object.fromEntries(tensors),
		run: (all) =>
			native.sgd({
				momentum: 0.9,
				parameters: parameters.map((_, index) => ({
					weights: all[`weights${index}`]!,
					velocity: all[`velocity${index}`]!,
					gradient: all[`gradient${index}`]!,
					copy: all[`copy${index}`],
					learningRate: 0.01,
					weightDecay: 0.0005,
				})),
			}),
	});
}

/** The largest parameter from fp32 to bf16. */
function castTrial(parameters: readonly Shape[]): OperationTrial {
	const largest = parameters.reduce((most, shape) => (elementsOf(shape) > elementsOf(most) ? shape : most));
	return trial({
		name: 'cast',
		inTraining: 0,
		tensors: {input: input(largest, 'float32'), output: output(largest, 'bfloat16')},
		run: (tensors) => native.cast(tensors),
	});
}
