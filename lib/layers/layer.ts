import type {Initial} from '../architecture.ts';
import type {Memory} from '../memory.ts';
import type {Shape, Tensor} from '../native.ts';
import type {Parameter} from '../parameter.ts';

/** A layer's tensors for one batch size. */
export interface LayerTensors {
	/** Takes what the layer needs besides. */
	readonly memory: Memory;
	readonly input: Tensor;
	readonly output: Tensor;
	/** Missing in inference. backward() may overwrite it. */
	readonly outputGradient?: Tensor | undefined;
	/** Missing in inference and for the first layer. */
	readonly inputGradient?: Tensor | undefined;
}

/** A layer bound to its tensors. Calls queue and return. */
export interface LayerPlan {
	/** @param step updates made so far: dropout's masks depend on it. */
	forward(step: number): void;
	/** Writes the parameters' gradients and inputGradient. Only where there is an outputGradient. */
	backward(): void;
}

/** A layer on one device: its parameters, and how to run it. */
export interface Layer {
	readonly name: string;
	readonly parameters: readonly {readonly parameter: Parameter; readonly initial: Initial}[];
	/** Whether inputGradient may be outputGradient's memory. */
	readonly backwardInPlace: boolean;
	/** Left out of inference: the input is the output. */
	readonly trainingOnly: boolean;
	outputShape(input: Shape): Shape;
	plan(tensors: LayerTensors): LayerPlan;
}
