import {AlexNetError} from '../base/errors.ts';
import {mapAhead} from '../data/map-ahead.ts';
import type {PictureInput} from '../data/picture-input.ts';
import type {PictureList} from '../data/picture-list.ts';
import {decodedAtOnce} from '../data/picture-reader.ts';
import {StorageError} from '../data/storage.ts';
import type {Features} from './features-file.ts';

/** A picture's vector, or why it has none. */
type Vector =
	| {readonly features: Float32Array; readonly error?: undefined}
	| {readonly features?: undefined; readonly error: AlexNetError};

/**
 * Puts the vectors of pictures together, those that there are.
 *
 * @param infer gives the vectors of pictures, in their order
 * @param tell is called for each picture, with what is wrong with it
 * @throws ALEXNET_PICTURE where no picture has a vector, ALEXNET_MEMORY where they are too many to be held;
 * {@link StorageError} where a picture cannot be had for a reason that is none of its own.
 */
export async function collectFeatures(
	{names, input}: PictureList,
	infer: (pictures: AsyncIterable<PictureInput>) => AsyncIterable<Vector>,
	tell: (error?: AlexNetError) => void,
): Promise<Pick<Features, 'names' | 'values' | 'width'>> {
	/** Of the pictures whose vectors are to come. */
	const under: string[] = [];
	const inputs = mapAhead(names, decodedAtOnce, async (name) => {
		try {
			return {name, picture: await input(name)};
		} catch (error) {
			if (error instanceof AlexNetError) return {name, error};
			throw error;
		}
	});
	const readable = async function* (): AsyncGenerator<PictureInput> {
		for await (const {name, picture, error} of inputs) {
			if (picture === undefined) {
				tell(error);
				continue;
			}
			under.push(name);
			yield picture;
		}
	};
	const found: string[] = [];
	let [values, width] = [new Float32Array(), 0];
	for await (const {features, error} of infer(readable())) {
		if (error instanceof StorageError) throw error;
		const name = under.shift() ?? '';
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
