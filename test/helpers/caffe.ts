// Files as Caffe writes them, against its public schema: the numbers stand here again, apart from those that are tested.
import {writeFileSync} from 'node:fs';
import {bytesOf} from '../../lib/checkpoint/write-whole.ts';
import {bytes, encoded, float, integer, message, text, type Field} from '../../lib/interchange/protobuf.ts';
import {drawn, type Floats} from './onnx.ts';

/** A layer in the terms of both forms. */
export interface CaffeLayer {
	readonly type: keyof typeof numbers;
	readonly name: string;
	readonly blobs?: readonly Floats[];
	/** Fields of the parameters that its type has. */
	readonly parameters?: readonly Field[];
}

/** By type: its number in the old form, and where its parameters are in the new one and the old one. */
const numbers = {
	Data: [5, 100, 36],
	Convolution: [4, 106, 10],
	ReLU: [18, 123, 30],
	Sigmoid: [19, 124, 38],
	TanH: [23, 127, 37],
	LRN: [15, 118, 18],
	Pooling: [17, 121, 19],
	InnerProduct: [14, 117, 17],
	Dropout: [6, 108, 12],
	SoftmaxWithLoss: [21, 101, 42],
} as const;

/** Layers that change nothing of the shape. */
const inPlace: readonly string[] = ['ReLU', 'Sigmoid', 'TanH', 'Dropout', 'Data'];

/** Packed, as Caffe declares them. */
const packed = (field: number, values: readonly number[]): Field =>
	bytes(
		field,
		encoded(
			...values.map(
				(value): Field =>
					(writer) =>
						writer.int64(value),
			),
		),
	);

function blob({shape, values}: Floats, isOld: boolean): Field[] {
	const four = [...Array<number>(4 - shape.length).fill(1), ...shape];
	const sides = isOld ? four.map((side, at) => integer(at + 1, side)) : [message(7, packed(1, shape))];
	return [...sides, bytes(5, bytesOf(values))];
}

export function writeCaffeModel(path: string, layers: readonly CaffeLayer[], isOld: boolean): void {
	let top = 'data';
	const fields = layers.map(({type, name, blobs = [], parameters = []}) => {
		const [number, place, oldPlace] = numbers[type];
		const bottom = top;
		if (!inPlace.includes(type)) top = name;
		if (isOld) {
			return message(
				2,
				...(type === 'Data' ? [] : [text(2, bottom)]),
				...[text(3, top), text(4, name), integer(5, number)],
				...blobs.map((each) => message(6, ...blob(each, true))),
				...(parameters.length > 0 ? [message(oldPlace, ...parameters)] : []),
			);
		}
		return message(
			100,
			...[text(1, name), text(2, type)],
			...(type === 'Data' ? [] : [text(3, bottom)]),
			text(4, top),
			...blobs.map((each) => message(7, ...blob(each, false))),
			...(parameters.length > 0 ? [message(place, ...parameters)] : []),
		);
	});
	writeFileSync(path, encoded(text(1, 'net'), ...fields));
}

export function writeMean(path: string, mean: Floats): void {
	writeFileSync(path, encoded(...blob(mean, true)));
}

/** What the net below sees. */
export const crop = 31;

export const caffeWeights = () => ({
	...{w1: drawn([8, 3, 7, 7], 0.01), b1: drawn([8], 0.1), w2: drawn([6, 4, 5, 5], 0.05), b2: drawn([6], 0.1)},
	...{w3: drawn([10, 216], 0.05), b3: drawn([10], 0.1), w4: drawn([4, 10], 0.1), b4: drawn([4], 0.1)},
});

/**
 * A net of each kind of layer that Caffe's AlexNets have.
 *
 * @param training what it does to pictures
 * @param activation fc6's
 */
export function caffeNet(
	{w1, b1, w2, b2, w3, b3, w4, b4} = caffeWeights(),
	training: readonly Field[] = [integer(3, crop)],
	activation: 'ReLU' | 'Sigmoid' | 'TanH' = 'ReLU',
): CaffeLayer[] {
	return [
		{type: 'Data', name: 'data', parameters: training},
		{type: 'Convolution', name: 'conv1', blobs: [w1, b1], parameters: [integer(1, 8), integer(4, 7), integer(6, 2)]},
		{type: 'ReLU', name: 'relu1'},
		{type: 'LRN', name: 'norm1', parameters: [integer(1, 5), float(2, 0.25), float(3, 0.75)]},
		{type: 'Pooling', name: 'pool1', parameters: [integer(1, 0), integer(2, 3), integer(3, 2)]},
		{
			...{type: 'Convolution', name: 'conv2', blobs: [w2, b2]},
			parameters: [integer(1, 6), integer(3, 2), integer(4, 5), integer(5, 2)],
		},
		{type: 'ReLU', name: 'relu2'},
		{type: 'InnerProduct', name: 'fc6', blobs: [w3, b3], parameters: [integer(1, 10)]},
		{type: activation, name: 'act6'},
		{type: 'Dropout', name: 'drop6', parameters: [float(1, 0.4)]},
		{type: 'InnerProduct', name: 'fc8', blobs: [w4, b4], parameters: [integer(1, 4)]},
		{type: 'SoftmaxWithLoss', name: 'loss'},
	];
}
