import type {Memory} from '../../device/memory.ts';
import type {Activation} from '../../device/operations.ts';
import type {DataType, Shape, Tensor} from '../../device/tensor.ts';
import type {Initial} from '../initial.ts';
import type {Parameter} from '../parameter.ts';

/** Where a net's layers put what they hold: a memory on each device, and how many columns of channels there are. */
export interface Placement {
	readonly memories: readonly Memory[];
	readonly columns: number;
	/** What is multiplied. */
	readonly precision: DataType;
	/** Whether products may be in TF32. */
	readonly tf32: boolean;
	/** Whether a layer, by its name, learns: otherwise its parameters have neither momentum nor gradient. */
	readonly learns: (layer: string) => boolean;
	/** Decides dropout's masks. */
	readonly seed: number;
}

/** Where one of the net's layers is put. */
export interface Place extends Placement {
	/** How many layers of its type come before it. */
	readonly ordinal: number;
	/** Whether its outputs are the logits, which are on the first device alone. */
	readonly isLast: boolean;
}

/** How a tensor of the net lies on the devices: a shape for each device that holds a part of it. */
export interface Layout {
	/** [N, H, W, C] or [N, I]. */
	readonly shapes: readonly Shape[];
	/** Whether each part is the whole tensor (the pictures) and not a column's share of its channels. */
	readonly copies: boolean;
}

/** A tensor of the net: a part on each device that holds any of it. */
export type Parts = readonly Tensor[];

/** A layer's tensors for one batch size. */
export interface LayerTensors {
	/** One a device; takes what the layer needs besides. */
	readonly memories: readonly Memory[];
	readonly input: Parts;
	readonly output: Parts;
	/** Pictures of the batch before these, which other ranks have; left out, none. */
	readonly before?: number;
	/** Missing in inference and where neither the layer nor one below learns. backward() may overwrite it. */
	readonly outputGradient?: Parts | undefined;
	/** Missing in inference and where nothing below learns. */
	readonly inputGradient?: Parts | undefined;
	/** Whether outputGradient is of the pre-activations: the layer above has multiplied by the activation's derivative. */
	readonly preActivation?: boolean;
	/** Whether backward() multiplies inputGradient by the derivative of the ReLU that the layer below ends in. */
	readonly reluBelow?: boolean;
}

/** A layer bound to its tensors. Calls queue and return; a plan records them and replays them at each step. */
export interface LayerPlan {
	forward(): void;
	/** Writes the gradients of parameters that learn, and inputGradient. Only where there is an outputGradient. */
	backward(): void;
}

/** A layer on its devices: its parameters, and how to run it. */
export interface Layer {
	readonly name: string;
	readonly parameters: readonly {readonly parameter: Parameter; readonly initial: Initial}[];
	/** Whether inputGradient may be outputGradient's memory. */
	readonly backwardInPlace: boolean;
	/** Left out of inference: the input is the output. */
	readonly trainingOnly: boolean;
	/** What it applies to its sums, whose derivative backward() begins with; left out where that is nothing. */
	readonly activation?: Activation;
	/** Whether backward() can multiply by the derivative of a ReLU that the layer below ends in; left out where not. */
	readonly fusesReluBelow?: boolean;
	output(input: Layout): Layout;
	plan(tensors: LayerTensors): LayerPlan;
	/** This layer and the one above it as one, where an operation does both; missing in layers that are never one. */
	fuse?(above: Layer): Layer | undefined;
}

/** What a plan runs of layers: those that one operation does are one. */
export function fused(layers: readonly Layer[]): readonly Layer[] {
	const result: Layer[] = [];
	for (const layer of layers) {
		const both = result.at(-1)?.fuse?.(layer);
		if (both) result.pop();
		result.push(both ?? layer);
	}
	return result;
}

/** The layout in which each part has another shape. */
export function eachPart({shapes, copies}: Layout, shapeOf: (shape: Shape) => Shape): Layout {
	return {shapes: shapes.map(shapeOf), copies};
}

/** Where in a row a window can stand. */
export function windowPlaces(length: number, {size, stride}: {readonly size: number; readonly stride: number}): number {
	return Math.floor((length - size) / stride) + 1;
}

/** What one device has of a layer's tensors. */
interface Part {
	readonly memory: Memory;
	readonly input: Tensor;
	readonly output: Tensor;
	readonly outputGradient: Tensor | undefined;
	readonly inputGradient: Tensor | undefined;
}

/** A layer's tensors device by device, for a layer whose parts do not see each other. */
export function partsOf({memories, input, output, outputGradient, inputGradient}: LayerTensors): Part[] {
	return input.flatMap((own, part) => {
		const [memory, result] = [memories[part], output[part]];
		if (!memory || !result) return [];
		const gradients = {outputGradient: outputGradient?.[part], inputGradient: inputGradient?.[part]};
		return [{memory, input: own, output: result, ...gradients}];
	});
}

/** The plan of a layer whose parts do not see each other: each device runs its own. */
export function sideBySide(plans: readonly LayerPlan[]): LayerPlan {
	return {
		forward: () => {
			for (const plan of plans) plan.forward();
		},
		backward: () => {
			for (const plan of plans) plan.backward();
		},
	};
}
