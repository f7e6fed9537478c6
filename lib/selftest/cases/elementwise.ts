// Sums, and what moves or converts elements.
import {elementsOf} from '../../device/memory.ts';
import type {DataType} from '../../device/tensor.ts';
import {roundTo, type RealType} from '../bfloat16.ts';
import {close, equal, type CasesOf, type OperationCase} from '../operation-case.ts';
import type {Random} from '../random.ts';
import {Sums} from '../tolerance.ts';
import {alsoInPlace, apart, common, small, throughput, type Elements} from './elements.ts';

export const elementwiseCases: CasesOf<'add' | 'fill' | 'cast' | 'copy'> = {
	add: (type) => alsoInPlace.map((elements) => addCase(type, elements)),
	fill: (type) => [
		...apart.map((elements) => fillCase(type, elements)),
		...[0, 1].map((value) => fillCase(type, {...small[0]!, testsOnly: true}, value)),
	],
	cast: (type) => apart.flatMap((elements) => castsTo(type).map((from) => castCase(from, type, elements))),
	copy: (type) => apart.flatMap((elements) => copied[type].map((moved) => copyCase(moved, type, elements))),
};

function addCase(type: RealType, elements: Elements): OperationCase {
	const {shape} = elements;
	return {
		...common(type, elements),
		prepare: (random) => {
			const [one, other] = [random.values(elementsOf(shape), 1, type), random.values(elementsOf(shape), 1, type)];
			const expected = new Sums(one.length);
			for (const terms of [one, other]) terms.forEach((term, i) => expected.add(i, term));
			return (bench, operations) => {
				const {input, output} = throughput(bench, type, elements, one);
				const addend = bench.input(shape, type, other);
				return {
					call: () => operations.add({input, addend, output}),
					// One addition in fp32, and the rounding to the output's type that the bound adds.
					outputs: [close('output', output, expected, type, () => 1)],
				};
			};
		},
	};
}

/** @param given at random where not said */
function fillCase(type: RealType, elements: Elements, given?: number): OperationCase {
	const {shape} = elements;
	return {
		...common(type, elements, given !== undefined && `${given}`),
		prepare: (random) => {
			const value = given ?? random.uniform() - 2;
			const expected = new Float64Array(elementsOf(shape)).fill(roundTo(type, value));
			return (bench, operations) => {
				const output = bench.output(shape, type);
				return {call: () => operations.fill({output, value}), outputs: [equal('output', output, expected)]};
			};
		},
	};
}

const draws: Readonly<Record<DataType, (random: Random, length: number) => Float64Array>> = {
	float32: (random, length) => random.values(length, 1000, 'float32'),
	bfloat16: (random, length) => random.values(length, 1000, 'bfloat16'),
	// Of all sizes: beyond 2^24 not every integer is an fp32 number.
	int32: (random, length) =>
		new Float64Array(length).map(() => (random.integer(2 ** 32) - 2 ** 31) >> random.integer(31)),
	uint8: (random, length) => new Float64Array(length).map(() => random.integer(256)),
};

/** What becomes this type: the other one and itself, and integers become fp32. */
function castsTo(type: RealType): readonly DataType[] {
	return type === 'float32' ? ['bfloat16', 'float32', 'uint8', 'int32'] : ['float32', 'bfloat16'];
}

function castCase(from: DataType, type: RealType, elements: Elements): OperationCase {
	const {shape} = elements;
	return {
		...common(type, elements, `${from} to ${type}`),
		prepare: (random) => {
			const values = draws[from](random, elementsOf(shape));
			const expected = values.map((x) => roundTo(type, x));
			return (bench, operations) => {
				const [input, output] = [bench.input(shape, from, values), bench.output(shape, type)];
				return {call: () => operations.cast({input, output}), outputs: [equal('output', output, expected)]};
			};
		},
	};
}

/** What is copied under which precision: there are four types. */
const copied = {float32: ['float32', 'int32'], bfloat16: ['bfloat16', 'uint8']} as const;

function copyCase(moved: DataType, type: RealType, elements: Elements): OperationCase {
	const {shape} = elements;
	return {
		...common(type, elements, moved),
		prepare: (random) => {
			const values = draws[moved](random, elementsOf(shape));
			return (bench, operations) => {
				const [input, output] = [bench.input(shape, moved, values), bench.output(shape, moved)];
				return {call: () => operations.copy({input, output}), outputs: [equal('output', output, values)]};
			};
		},
	};
}
