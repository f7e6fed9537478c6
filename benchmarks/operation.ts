// What a trial of one operation says of itself.
import {bytesOfTensor} from '../lib/device/memory.ts';
import type {DataType, Shape, Tensor} from '../lib/device/tensor.ts';

/** What a tensor holds before the operation runs. */
export type Contents =
	| {readonly kind: 'normal'; readonly deviation: number}
	/** NaN: whatever the operation leaves of it is found out. */
	| {readonly kind: 'poison'}
	| {readonly kind: 'bytes'; readonly values: () => Uint8Array | Int32Array | Float32Array};

export interface TensorSpec {
	readonly shape: Shape;
	readonly type: DataType;
	readonly contents: Contents;
	/** Memory traffic that the operation cannot avoid. */
	readonly bytes: number;
	/** Checked after a first run: every element a finite number. */
	readonly isOutput: boolean;
	/** Written anew before each sample, as an update does: what a device derives from it is part of the operation. */
	readonly isWeights: boolean;
}

export type Tensors<Names extends string = string> = Readonly<Record<Names, Tensor>> & {readonly workspace?: Tensor};

/** What a convolution or linear layer multiplies: rows x columns outputs in each group, each a sum over the depth. */
export interface Product {
	readonly rows: number;
	readonly columns: number;
	readonly depth: number;
	readonly groups: number;
	/** Of the operands. */
	readonly elementBytes: number;
}

export interface OperationTrial<Names extends string = string> {
	readonly name: string;
	/** Additions and multiplications, of convolutions and linear layers only: nothing else comes near the peak. */
	readonly operations: number;
	/** The same as a matrix product, where it is one. */
	readonly product?: Product;
	/** Calls in a training step, and in inference. */
	readonly inTraining: number;
	readonly inInference: number;
	/** Of an operation that does the work of several layers in one pass: the trials in whose place it and its like are. */
	readonly replaces?: readonly string[];
	readonly tensors: Readonly<Record<Names, TensorSpec>>;
	/** Bytes of the workspace, where the operation takes one. */
	readonly workspaceBytes?: (tensors: Tensors<Names>) => number;
	/** Runs once, after the tensors are filled. */
	readonly prepare?: (tensors: Tensors<Names>) => void;
	readonly run: (tensors: Tensors<Names>) => void;
}

/** Forgets the names of the tensors, which only the trial itself needs. */
export function trial<Names extends string>(
	options: Omit<OperationTrial<Names>, 'operations' | 'inTraining' | 'inInference'> & Partial<OperationTrial<Names>>,
): OperationTrial {
	const complete: OperationTrial<Names> = {operations: 0, inTraining: 1, inInference: 0, ...options};
	return complete;
}

const plain = (shape: Shape, type: DataType): Omit<TensorSpec, 'contents'> => {
	return {shape, type, bytes: bytesOfTensor(shape, type), isOutput: false, isWeights: false};
};

/** An input of normal draws. */
export function input(shape: Shape, type: DataType, deviation = 1): TensorSpec {
	return {...plain(shape, type), contents: {kind: 'normal', deviation}};
}

/** An input with contents of its own. */
export function inputOf(
	shape: Shape,
	type: DataType,
	values: () => Uint8Array | Int32Array | Float32Array,
): TensorSpec {
	return {...plain(shape, type), contents: {kind: 'bytes', values}};
}

export function weights(shape: Shape, type: DataType): TensorSpec {
	return {...input(shape, type, 0.01), isWeights: true};
}

export function output(shape: Shape, type: DataType): TensorSpec {
	return {...plain(shape, type), contents: {kind: 'poison'}, isOutput: true};
}

/** Read and written in place. */
export function inPlace(shape: Shape, type: DataType, deviation = 1): TensorSpec {
	const spec = input(shape, type, deviation);
	return {...spec, bytes: 2 * spec.bytes, isOutput: true};
}
