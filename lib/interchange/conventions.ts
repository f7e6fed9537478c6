// How other programs hand pictures to their nets, and the same net for pictures as ours are: red first, from 0 to 255, less
// a mean image.
import {oneOf, option} from '../base/check.ts';
import type {FileTensor} from './net-builder.ts';

/** Values by channel, in the order in which the program has channels. */
interface Convention {
	readonly order: 'rgb' | 'bgr';
	readonly mean: readonly number[];
	readonly divisor: readonly number[];
}

const of255 = (values: readonly number[]): number[] => values.map((value) => value * 255);

/** The mean colour of ILSVRC 2012, blue first. */
const caffe: Convention = {order: 'bgr', mean: [104.00699, 116.66877, 122.67892], divisor: [1, 1, 1]};

export const conventions: Readonly<Record<PictureConvention, Convention>> = {
	caffe,
	caffenet: caffe,
	owt: {order: 'rgb', mean: of255([0.485, 0.456, 0.406]), divisor: of255([0.229, 0.224, 0.225])},
};

/** Whose pictures a net expects: Caffe's two AlexNets', or torchvision's. */
export type PictureConvention = 'caffe' | 'caffenet' | 'owt';

export const pictureConvention = option(
	oneOf(Object.keys(conventions) as PictureConvention[]),
	'whose pictures the net expects',
);

/** What a net expects of pictures, by channel in its order. */
export interface Expected {
	readonly order: 'rgb' | 'bgr';
	readonly divisor: readonly number[];
}

/** conv1's weights for our pictures: [K, 3, R, S]. What is divided is rounded once; another order is exact. */
export function fold({shape, values}: FileTensor, {order, divisor}: Expected): Float32Array {
	const given = values();
	const [, channels = 0, rows = 0, columns = 0] = shape;
	const plane = rows * columns;
	return given.map((_, at) => {
		const channel = Math.floor(at / plane) % channels;
		const from = order === 'bgr' ? channels - 1 - channel : channel;
		return (given[at + (from - channel) * plane] ?? 0) / (divisor[from] ?? 1);
	});
}

/**
 * A mean image as ours are, [imageSize, imageSize, 3].
 *
 * @param values one, one a channel, or planes of a side of their own, in the net's order of channels
 */
export function meanImage(values: Float32Array, order: 'rgb' | 'bgr', imageSize: number): Float32Array {
	const side = sideOf(values);
	const outside = Math.floor((imageSize - side) / 2);
	const inside = (at: number): number => Math.min(side - 1, Math.max(0, at - outside));
	return Float32Array.from({length: imageSize * imageSize * 3}, (_, at) => {
		const [y, x] = [Math.floor(at / 3 / imageSize), Math.floor(at / 3) % imageSize];
		const channel = order === 'bgr' ? 2 - (at % 3) : at % 3;
		const place = (channel * side + inside(y)) * side + inside(x);
		return values[values.length === 1 ? 0 : place] ?? 0;
	});
}

/** The side of a mean image's planes; 1 where it is a colour. @throws an error where it is none. */
export function sideOf({length}: ArrayLike<number>): number {
	const side = length === 1 ? 1 : Math.sqrt(length / 3);
	if (Number.isInteger(side) && side > 0) return side;
	throw new Error(`the mean image has ${length} values, where one, one a channel, or three squares are expected`);
}
