// Pictures, initial weights and the order of files: what comes before a step.
import {elementsOf} from '../../device/memory.ts';
import type {RealType} from '../bfloat16.ts';
import {close, equal, inWords, type OperationCase} from '../operation-case.ts';
import type {Random} from '../random.ts';
import {augment, type AugmentGeometry} from '../reference/augment.ts';
import {normal, normalRoundings} from '../reference/draws.ts';
import {box, permute} from '../reference/permute.ts';

const crops: readonly AugmentGeometry[] = [
	{images: 5, picture: [32, 32], crop: [28, 28]},
	{images: 3, picture: [13, 21], crop: [11, 5]},
];

/** To and from PyTorch's order, and one that moves the innermost dimension outwards. */
const orders = [
	[0, 3, 1, 2],
	[0, 2, 3, 1],
	[3, 1, 0, 2],
];

/** @param layers crops to check besides the small ones */
export function dataCases(type: RealType, layers: readonly AugmentGeometry[]): OperationCase[] {
	const augments = [...crops, ...layers].map((geometry) => augmentCase(type, geometry));
	if (type === 'bfloat16') return augments;
	// The others are fp32 in every precision.
	const boxes = orders.flatMap((axes) => [permuteCase([24, 5, 7, 19], axes), cutCase(axes)]);
	return [...augments, ...[1, 1023, 4096].map(normalCase), ...boxes];
}

/** views [N, 6]: the first two crops are the extreme ones, every other picture is mirrored, each has a colour. */
function drawViews(random: Random, {images, picture, crop}: AugmentGeometry): Float64Array {
	const last = [picture[0] - crop[0], picture[1] - crop[1]] as const;
	const views = Array.from({length: images}, (_, n) => {
		const corner = n === 0 ? [0, 0] : n === 1 ? last : last.map((offset) => random.integer(offset + 1));
		return [...corner, n % 2, ...random.values(3, 20, 'float32')];
	});
	return Float64Array.from(views.flat());
}

function augmentCase(type: RealType, geometry: AugmentGeometry): OperationCase {
	const {images, picture, crop} = geometry;
	return {
		operation: 'augment',
		title: `${inWords([images, ...picture])} to ${inWords(crop)}`,
		type,
		prepare: (random) => {
			const [pictures, places] = [
				[images, ...picture, 3],
				[...picture, 3],
			];
			const pixels = Uint8Array.from({length: elementsOf(pictures)}, () => random.integer(256));
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

function normalCase(length: number): OperationCase {
	return {
		operation: 'normal',
		title: `${length}`,
		type: 'float32',
		prepare: (random) => {
			const [seed, stream, deviation] = [BigInt(random.integer(2 ** 32)), random.integer(100), 0.01];
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

function permuteCase(shape: readonly number[], axes: readonly number[]): OperationCase {
	return {
		operation: 'permute',
		title: `${inWords(shape)}, axes ${axes.join()}`,
		type: 'float32',
		prepare: (random) => {
			const values = random.values(elementsOf(shape), 1, 'float32');
			const expected = permute(shape, axes, values);
			return (bench, operations) => {
				const [input, output] = [bench.input(shape, 'float32', values), bench.output(expected.shape, 'float32')];
				return {
					call: () => operations.permute({input, output, axes}),
					outputs: [equal('output', output, expected.values)],
				};
			};
		},
	};
}

/** A box of a larger tensor. */
function cutCase(axes: readonly number[]): OperationCase {
	const [large, start, size] = [
		[9, 12, 5, 6],
		[2, 3, 0, 1],
		[4, 8, 5, 3],
	] as const;
	return {
		operation: 'permute',
		title: `${inWords(size)} of ${inWords(large)}, axes ${axes.join()}`,
		type: 'float32',
		prepare: (random) => {
			const values = random.values(elementsOf(large), 1, 'float32');
			const expected = permute(size, axes, box(large, start, size, values));
			return (bench, operations) => {
				const [input, output] = [bench.input(large, 'float32', values), bench.output(expected.shape, 'float32')];
				return {
					call: () => operations.permute({input, output, axes, inputStart: start}),
					outputs: [equal('output', output, expected.values)],
				};
			};
		},
	};
}
