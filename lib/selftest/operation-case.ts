// What a check of an operation says of itself.
import type {Operations} from '../device/operations.ts';
import type {Tensor} from '../device/tensor.ts';
import type {RealType} from './bfloat16.ts';
import type {LayerGeometries} from './cases/layers.ts';
import type {Random} from './random.ts';
import {toTf32} from './tf32.ts';
import {accumulation, compareClose, compareEqual, Sums, type Comparison} from './tolerance.ts';
import type {Workbench} from './workbench.ts';

/** The operations that have a definition to be compared with; what `send` does is checked between two devices. */
export type CheckedOperation = Exclude<keyof Operations, 'send' | 'lrnWorkspaceBytes' | 'maxPoolWorkspaceBytes'>;

/** The cases of some operations in a precision: a list for each, so that TypeScript tells where one is missing. */
export type CasesOf<Operation extends CheckedOperation> = Readonly<Record<Operation, CaseList>>;
export type CaseList = (type: RealType, layers: LayerGeometries) => readonly OperationCase[];

/** A call with random inputs, and what must come of it. */
export interface OperationCase {
	/** Its shape, and what is special about it. */
	readonly title: string;
	/** The type of what is computed. */
	readonly type: RealType;
	/** Products may be in TF32: for devices that have it. */
	readonly tf32?: boolean | undefined;
	/** Large enough to fill a GPU, and too large for a simulated one. */
	readonly fillsGpu?: boolean | undefined;
	/** Tensors begin one element after a multiple of 64 bytes. */
	readonly misaligned?: boolean | undefined;
	/** For the package's own tests: one of many shapes, which would tell nothing new in a report. */
	readonly testsOnly?: boolean | undefined;
	/** Draws the inputs and works the definition out, once for all devices. */
	readonly prepare: (random: Random) => Run | Promise<Run>;
}

/** Makes the tensors on a device, and runs what must come before the call. */
export type Run = (bench: Workbench, operations: Operations) => Call;

export interface Call {
	readonly call: () => void;
	readonly outputs: readonly Output[];
}

export interface Output {
	readonly tensor: Tensor;
	readonly compare: (actual: Float64Array) => Comparison;
}

/** @param expected what the definition gives; several where a device may take one of several ways throughout */
export function close(
	name: string,
	tensor: Tensor,
	expected: Sums | readonly Sums[],
	type: RealType,
	roundings: (count: number) => number = accumulation,
): Output {
	const ways = expected instanceof Sums ? [expected] : expected;
	const compare = (actual: Float64Array): Comparison =>
		ways
			.map((each) => compareClose(name, actual, each, type, roundings))
			.reduce((best, one) => (one.share < best.share ? one : best));
	return {tensor, compare};
}

/**
 * What a definition gives of these operands and, where products may be in TF32, of the operands rounded to it: tensor
 * cores multiply those, and what does not suit them is multiplied as it is.
 */
export async function definedBy<Result>(
	tf32: boolean,
	operands: readonly [Float64Array, Float64Array],
	definition: (first: Float64Array, second: Float64Array) => Promise<Result>,
): Promise<readonly Result[]> {
	const [first, second] = operands;
	const exact = await definition(first, second);
	return tf32 ? [exact, await definition(first.map(toTf32), second.map(toTf32))] : [exact];
}

export function equal(name: string, tensor: Tensor, expected: Float64Array): Output {
	return {tensor, compare: (actual) => compareEqual(name, actual, expected)};
}

/** Shapes that the package's own tests alone go through. */
export function forTests<T>(geometries: readonly T[]): (T & {testsOnly: true})[] {
	return geometries.map((geometry) => ({...geometry, testsOnly: true}));
}

/** The same with products in TF32. */
export function inTf32<T>(cases: readonly T[]): (T & {tf32: true})[] {
	return cases.map((one) => ({...one, tf32: true}));
}

export type Extra = string | false | undefined;

/** ", relu, views": what is special, of what there may be. */
export function extras(...parts: readonly Extra[]): string {
	return parts.map((part) => (part === undefined || part === false ? '' : `, ${part}`)).join('');
}

/** "2x13x13x96" */
export function inWords(shape: readonly number[]): string {
	return shape.join('x');
}
