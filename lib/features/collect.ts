import {AlexNetError} from '../base/errors.ts';
import type {Features} from './features-file.ts';

/** A picture's vector, or why it has none. */
type Vector =
	| {readonly features: Float32Array; readonly error?: undefined}
	| {readonly features?: undefined; readonly error: AlexNetError};

/**
 * Puts vectors together, those that there are.
 *
 * @param names of the pictures, in the order of the vectors
 * @param tell is called for each picture, with what is wrong with it
 * @throws ALEXNET_PICTURE where no picture has a vector, ALEXNET_MEMORY where they are too many to be held.
 */
export async function collectFeatures(
	names: readonly string[],
	vectors: AsyncIterable<Vector>,
	tell: (error?: AlexNetError) => void,
): Promise<Pick<Features, 'names' | 'values' | 'width'>> {
	const found: string[] = [];
	let [values, width, place] = [new Float32Array(), 0, 0];
	for await (const {features, error} of vectors) {
		const name = names[place++] ?? '';
		if (features) {
			if (found.length === 0) [values, width] = [roomFor(names.length, features.length), features.length];
			values.set(features, found.length * width);
			found.push(name);
		}
		tell(error);
	}
	if (found.length === 0) {
		throw new AlexNetError('ALEXNET_PICTURE', `None of the ${names.length} pictures can be read.`);
	}
	return {names: found, values: values.subarray(0, found.length * width), width};
}

function roomFor(pictures: number, width: number): Float32Array<ArrayBuffer> {
	try {
		return new Float32Array(pictures * width);
	} catch (error) {
		const message = `${pictures} vectors of ${width} values are too many to be held at once. Take fewer pictures, or another layer.`;
		throw new AlexNetError('ALEXNET_MEMORY', message, {cause: error});
	}
}
