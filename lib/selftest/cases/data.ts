// Pictures, initial weights and the order of files: what comes before a step.
import {elementsOf} from '../../device/memory.ts';
import type {RealType} from '../bfloat16.ts';
import {close, equal, extras, forTests, inWords, type CasesOf, type OperationCase} from '../operation-case.ts';
import type {Random} from '../random.ts';
import {augment, type AugmentGeometry} from '../reference/augment.ts';
import {normal, normalRoundings} from '../reference/draws.ts';
import {box, permute} from '../reference/permute.ts';

type Special = Pick<OperationCase, 'misaligned' | 'testsOnly'>;

const crops: readonly (AugmentGeometry & Special)[] = [
	{images: 5, picture: [32, 32], crop: [28, 28]},
	{images: 3, picture: [13, 21], crop: [11, 5]},
	...forTests([
		{images: 9, picture: [32, 32], crop: [28, 28]},
		{images: 4, picture: [9, 7], crop: [9, 7]},
		{images: 1, picture: [17, 17], crop: [16, 16]},
		{images: 6, picture: [3, 4], crop: [1, 1]},
		{images: 4, picture: [12, 11], crop: [7, 9], misaligned: true},
	] as const),
];

const draws: readonly ({length: number; deviation: number} & Special)[] = [
	{length: 1, deviation: 0.01},
	{length: 1023, deviation: 0.01},
	{length: 4096, deviation: 0.01},
	...forTests([
		{length: 4095, deviation: 1},
		{length: 77, deviation: 0.03, misaligned: true},
	]),
];

interface Reordered extends Special {
	readonly axes: readonly number[];
	/** Of what is reordered: the input or, where `large` is given, a box of that which begins at `start`. */
	readonly shape: readonly number[];
	readonly large?: readonly number[];
	readonly start?: readonly number[];
}

/** To and from PyTorch's order, and one that moves the innermost dimension outwards. */
const toFile = [0, 3, 1, 2];
const orders = [toFile, [0, 2, 3, 1], [3, 1, 0, 2]];
const someBox = {large: [9, 12, 5, 6], start: [2, 3, 0, 1], shape: [4, 8, 5, 3]};
const boxes = [
	{large: [7, 5, 3, 3], start: [2, 0, 0, 0], shape: [4, 5, 3, 3]},
	{large: [6, 10, 3, 5], start: [0, 5, 0, 0], shape: [6, 5, 3, 5]},
	{large: [5, 6, 7, 8], start: [1, 2, 3, 1], shape: [3, 2, 3, 5]},
	{large: [3, 3, 3, 3], start: [2, 2, 2, 2], shape: [1, 1, 1, 1]},
	{large: [40, 34, 1, 1], start: [20, 17, 0, 0], shape: [20, 17, 1, 1]},
];

const reorderings: readonly Reordered[] = [
	...orders.flatMap((axes) => [
		{shape: [24, 5, 7, 19], axes},
		{...someBox, axes},
	]),
	...forTests([
		...permutations([0, 1, 2, 3]).map((axes) => ({shape: [3, 5, 7, 9], axes})),
		...orders.slice(0, 2).map((axes) => ({shape: [48, 5, 5, 48], axes})),
		...[toFile, [3, 2, 1, 0]].map((axes) => ({shape: [1, 17, 1, 33], axes})),
		{shape: [1, 1, 1, 1], axes: toFile},
		...[toFile, [1, 0, 3, 2]].map((axes) => ({shape: [2, 6, 6, 19], axes, misaligned: true})),
		...boxes.flatMap((one) => [[0, 1, 2, 3], ...orders.slice(1)].map((axes) => ({...one, axes}))),
	]),
];

function permutations(items: readonly number[]): number[][] {
	if (items.length < 2) return [[...items]];
	return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}

export const dataCases: CasesOf<'augment' | 'normal' | 'permute'> = {
	augment: (type, {augment: layers}) => [...crops, ...layers].map((geometry) => augmentCase(type, geometry)),
	// fp32 in every precision.
	normal: (type) => (type === 'float32' ? draws.map(normalCase) : []),
	permute: (type) => (type === 'float32' ? reorderings.map(permuteCase) : []),
};

/** views [N, 6]: the first two crops are the extreme ones, every other picture is mirrored, each has a colour. */
function drawViews(random: Random, {images, picture, crop}: AugmentGeometry): Float64Array {
	const last = [picture[0] - crop[0], picture[1] - crop[1]] as const;
	const views = Array.from({length: images}, (_, n) => {
		const corner = n === 0 ? [0, 0] : n === 1 ? last : last.map((offset) => random.integer(offset + 1));
		return [...corner, n % 2, ...random.values(3, 20, 'float32')];
	});
	return Float64Array.from(views.flat());
}

function augmentCase(type: RealType, geometry: AugmentGeometry & Special): OperationCase {
	const {images, picture, crop, misaligned, testsOnly} = geometry;
	return {
		title: `${inWords([images, ...picture])} to ${inWords(crop)}${extras(misaligned && 'views')}`,
		...{type, misaligned, testsOnly},
		prepare: (random) => {
			const [pictures, places] = [
				[images, ...picture, 3],
				[...picture, 3],
			];
			const pixels = new Uint8Array(elementsOf(pictures)).map(() => random.integer(256));
			const average = random.values(elementsOf(places), 128, 'float32');
			const drawn = drawViews(random, geometry);
			const expected = augment(geometry, pixels, drawn, average);
			return (bench, operations) => {
				const output = bench.output([images, ...crop, 3], type);
				const tensors = {
					images: bench.input(pictures, 'uint8', pixels),
					views: bench.input([images, 6], 'float32', drawn),
					mean: bench.input(places, 'float32', average),
				};
				return {
					call: () => operations.augment({...tensors, output}),
					// A pixel is exact in fp32; two additions.
					outputs: [close('output', output, expected, type, () => 2)],
				};
			};
		},
	};
}

function normalCase({length, deviation, misaligned, testsOnly}: (typeof draws)[number]): OperationCase {
	return {
		title: `${length}${extras(misaligned && 'views')}`,
		...{type: 'float32', misaligned, testsOnly},
		prepare: (random) => {
			const seed = (BigInt(random.integer(2 ** 32)) << 32n) | BigInt(random.integer(2 ** 32));
			const stream = random.integer(100);
			const expected = normal(length, seed, stream, deviation);
			return (bench, operations) => {
				const output = bench.output([length], 'float32');
				return {
					call: () => operations.normal({output, seed, stream, deviation}),
					outputs: [close('output', output, expected, 'float32', () => normalRoundings)],
				};
			};
		},
	};
}

function permuteCase({shape, axes, large, start, misaligned, testsOnly}: Reordered): OperationCase {
	const whole = large ?? shape;
	const special = extras(large && `from ${start?.join()} of ${inWords(large)}`, misaligned && 'views');
	return {
		title: `${inWords(shape)}, axes ${axes.join()}${special}`,
		...{type: 'float32', misaligned, testsOnly},
		prepare: (random) => {
			const values = random.values(elementsOf(whole), 1, 'float32');
			const expected = permute(shape, axes, large && start ? box(large, start, shape, values) : values);
			return (bench, operations) => {
				const [input, output] = [bench.input(whole, 'float32', values), bench.output(expected.shape, 'float32')];
				return {
					call: () => operations.permute({input, output, axes, ...(start && {inputStart: start})}),
					outputs: [equal('output', output, expected.values)],
				};
			};
		},
	};
}
