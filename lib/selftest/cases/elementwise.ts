import {elementsOf} from '../../device/memory.ts';
import type {DataType} from '../../device/native.ts';
import {roundTo, type RealType} from '../bfloat16.ts';
import {close, equal, inWords, type OperationCase} from '../operation-case.ts';
import type {Random} from '../random.ts';
import {activate, activateBackward} from '../reference/activate.ts';
import {dropout, dropoutMask, dropoutRoundings} from '../reference/draws.ts';
import {Sums, tanhRoundings} from '../tolerance.ts';

/** Whole pieces of 8 elements, and tails. */
const shapes = [
	[2, 7, 5, 48],
	[3, 35],
] as const;

/** Activations, dropout, sums, and what moves or converts elements. */
export function elementwiseCases(type: RealType): OperationCase[] {
	return shapes.flatMap((shape, index) => [
		...(['relu', 'tanh'] as const).flatMap((activation) => [
			...[false, true].flatMap((notFinite) => [
				activateCase(type, shape, {activation, notFinite}),
				activateBackwardCase(type, shape, {activation, notFinite}),
			]),
		]),
		addCase(type, shape),
		fillCase(type, shape),
		castCase(type === 'float32' ? 'bfloat16' : 'float32', type, shape),
		...(type === 'float32' ? [castCase('uint8', type, shape), castCase('int32', type, shape)] : []),
		copyCase(type, type, shape),
		copyCase(type === 'float32' ? 'int32' : 'uint8', type, shape),
		dropoutCase(type, [shape[0], elementsOf(shape.slice(1))], index === 0 ? 0.5 : 0.3),
	]);
}

interface Activated {
	readonly activation: 'relu' | 'tanh';
	/** NaN and infinities are among the inputs. */
	readonly notFinite: boolean;
}

function activatedTitle(shape: readonly number[], {activation, notFinite}: Activated): string {
	return `${activation} ${inWords(shape)}${notFinite ? ', NaN and infinities' : ''}`;
}

function activateCase(type: RealType, shape: readonly number[], options: Activated): OperationCase {
	const {activation, notFinite} = options;
	return {
		operation: 'activate',
		title: activatedTitle(shape, options),
		type,
		prepare: (random) => {
			const values = random.values(elementsOf(shape), 4, type, notFinite);
			const expected = new Sums(values.length);
			values.forEach((x, i) => expected.add(i, activate(activation, x)));
			const roundings = activation === 'relu' ? 0 : tanhRoundings;
			return (bench, operations) => {
				const [input, output] = [bench.input(shape, type, values), bench.output(shape, type)];
				return {
					call: () => operations.activate({input, output, activation}),
					outputs: [close('output', output, expected, type, () => roundings)],
				};
			};
		},
	};
}

function activateBackwardCase(type: RealType, shape: readonly number[], options: Activated): OperationCase {
	const {activation, notFinite} = options;
	return {
		operation: 'activateBackward',
		title: activatedTitle(shape, options),
		type,
		prepare: (random) => {
			// What either can give: relu zeros, and no gradient there, tanh nothing beyond 1.
			const drawn = random.values(elementsOf(shape), 0.99, type, notFinite);
			const values = drawn.map((y) => (activation === 'relu' ? Math.max(0, y) : Math.max(-1, Math.min(1, y))));
			const gradients = random.values(values.length, 1, type, notFinite);
			const expected = activateBackward(activation, values, gradients);
			return (bench, operations) => {
				const [output, outputGradient] = [bench.input(shape, type, values), bench.input(shape, type, gradients)];
				const inputGradient = bench.output(shape, type);
				return {
					call: () => operations.activateBackward({output, outputGradient, inputGradient, activation}),
					// Three operations: y * y, 1 - y * y, and times the gradient.
					outputs: [close('inputGradient', inputGradient, expected, type, () => 3)],
				};
			};
		},
	};
}

function addCase(type: RealType, shape: readonly number[]): OperationCase {
	return {
		operation: 'add',
		title: inWords(shape),
		type,
		prepare: (random) => {
			const [one, other] = [random.values(elementsOf(shape), 1, type), random.values(elementsOf(shape), 1, type)];
			const expected = new Sums(one.length);
			for (const terms of [one, other]) terms.forEach((term, i) => expected.add(i, term));
			return (bench, operations) => {
				const [input, addend] = [bench.input(shape, type, one), bench.input(shape, type, other)];
				const output = bench.output(shape, type);
				return {
					call: () => operations.add({input, addend, output}),
					outputs: [close('output', output, expected, type, () => 1)],
				};
			};
		},
	};
}

function fillCase(type: RealType, shape: readonly number[]): OperationCase {
	return {
		operation: 'fill',
		title: inWords(shape),
		type,
		prepare: (random) => {
			const value = random.uniform();
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
		Float64Array.from({length}, () => (random.integer(2 ** 32) - 2 ** 31) >> random.integer(31)),
	uint8: (random, length) => Float64Array.from({length}, () => random.integer(256)),
};

function castCase(from: DataType, type: RealType, shape: readonly number[]): OperationCase {
	return {
		operation: 'cast',
		title: `${from} to ${type} ${inWords(shape)}`,
		type,
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

/** @param moved the type of what is copied, which may be an integer */
function copyCase(moved: DataType, type: RealType, shape: readonly number[]): OperationCase {
	return {
		operation: 'copy',
		title: `${moved} ${inWords(shape)}`,
		type,
		prepare: (random) => {
			const values = draws[moved](random, elementsOf(shape));
			return (bench, operations) => {
				const [input, output] = [bench.input(shape, moved, values), bench.output(shape, moved)];
				return {call: () => operations.copy({input, output}), outputs: [equal('output', output, values)]};
			};
		},
	};
}

function dropoutCase(type: RealType, shape: readonly [number, number], rate: number): OperationCase {
	const [images, width] = shape;
	return {
		operation: 'dropout',
		title: `${inWords(shape)}, rate ${rate}`,
		type,
		prepare: (random) => {
			const values = random.values(images * width, 3, type);
			// The right column of a layer that is twice as wide.
			const place = {layer: 6, features: 2 * width, offset: width};
			const draw = {...place, rate, seed: BigInt(random.integer(2 ** 32)), step: random.integer(1000)};
			const mask = dropoutMask(images, width, draw);
			const expected = dropout(values, mask, rate);
			return (bench, operations) => {
				const [input, output] = [bench.input(shape, type, values), bench.output(shape, type)];
				return {
					call: () => operations.dropout({input, output, ...draw}),
					outputs: [close('output', output, expected, type, () => dropoutRoundings)],
				};
			};
		},
	};
}
