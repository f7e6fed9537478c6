// Shapes of operations that work on each element by itself.
import type {Shape, Tensor} from '../../device/tensor.ts';
import type {RealType} from '../bfloat16.ts';
import {extras, forTests, inWords, type Extra, type OperationCase} from '../operation-case.ts';
import type {Workbench} from '../workbench.ts';

export interface Elements extends Pick<OperationCase, 'misaligned' | 'testsOnly'> {
	readonly shape: Shape;
	/** The output is the input. */
	readonly inPlace?: boolean;
}

/** Whole pieces of 8 elements, and tails. */
export const small: readonly Elements[] = [{shape: [2, 7, 5, 48]}, {shape: [3, 35]}];
const more: readonly Elements[] = [
	{shape: [3, 13, 13, 40]},
	{shape: [3, 5, 5, 7]},
	{shape: [1]},
	{shape: [1000]},
	{shape: [17, 65]},
	{shape: [5, 37], misaligned: true},
];
export const apart = [...small, ...forTests(more)];
export const alsoInPlace = [
	...apart,
	...forTests([...small, ...more].map((elements) => ({...elements, inPlace: true}))),
];

/** What they have in common: the words for a case, and whether it is for tests alone. */
export function common(
	type: RealType,
	{shape, misaligned, testsOnly, inPlace}: Elements,
	...parts: readonly Extra[]
): Omit<OperationCase, 'prepare'> {
	const special = extras(...parts, inPlace && 'in place', misaligned && 'views');
	return {title: `${inWords(shape)}${special}`, type, misaligned, testsOnly};
}

/** Input and output, or one tensor that is both. */
export function throughput(
	bench: Workbench,
	type: RealType,
	{shape, inPlace}: Elements,
	values: Float64Array,
): {input: Tensor; output: Tensor} {
	if (!inPlace) return {input: bench.input(shape, type, values), output: bench.output(shape, type)};
	const both = bench.inPlace(shape, type, values);
	return {input: both, output: both};
}
