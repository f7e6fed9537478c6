// Files as Caffe writes them, against its public schema: the numbers stand here again, apart from those that are tested.
import {writeFileSync} from 'node:fs';
import {bytesOf} from '../../lib/checkpoint/write-whole.ts';
import {bytes, encoded, float, integer, message, text, type Field} from '../../lib/interchange/protobuf.ts';
import type {Floats} from './onnx.ts';

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
	LRN: [15, 118, 18],
	Pooling: [17, 121, 19],
	InnerProduct: [14, 117, 17],
	Dropout: [6, 108, 12],
	SoftmaxWithLoss: [21, 101, 42],
} as const;

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
		// Layers that change nothing of the shape work in place.
		if (type !== 'ReLU' && type !== 'Dropout' && type !== 'Data') top = name;
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

export {float, integer};
