// What nets in other programs' formats are compared with: the pictures that we are given, as those programs take them.
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {InferenceSession, Tensor} from 'onnxruntime-node';
import type {Model} from '../../lib/net/model.ts';

/** A path in a folder that goes when the tests of a file have run. */
export function temporaryPaths(): (name: string) => string {
	let folder = '';
	test.before(async () => {
		folder = await mkdtemp(join(tmpdir(), 'alexnet-'));
	});
	test.after.always(async () => rm(folder, {recursive: true, force: true}));
	return (name) => join(folder, name);
}

/** The centres of pictures [N, S, S, 3] as planes of floats, [N, 3, crop, crop]. */
export function centres({architecture: {imageSize, crop}}: Model, images: Uint8Array): Float32Array {
	const count = images.length / (imageSize * imageSize * 3);
	const start = Math.floor((imageSize - crop) / 2);
	const planes = new Float32Array(count * 3 * crop * crop);
	let at = 0;
	for (let image = 0; image < count; ++image)
		for (let channel = 0; channel < 3; ++channel)
			for (let y = start; y < start + crop; ++y)
				for (let x = start; x < start + crop; ++x)
					planes[at++] = images[((image * imageSize + y) * imageSize + x) * 3 + channel]!;
	return planes;
}

/** What ONNX Runtime makes of a file and these pictures. */
export async function runOnnx(
	path: string,
	planes: Float32Array,
	crop: number,
	input = 'pictures',
): Promise<Float32Array> {
	const session = await InferenceSession.create(path, {logSeverityLevel: 3});
	const tensor = new Tensor('float32', planes, [planes.length / (3 * crop * crop), 3, crop, crop]);
	const {[session.outputNames[0]!]: output} = await session.run({[input]: tensor});
	return output!.data as Float32Array;
}

export function largestDifference(one: Float32Array, other: Float32Array): number {
	if (one.length !== other.length) throw new Error(`${one.length} values and ${other.length}`);
	return one.reduce((most, value, at) => Math.max(most, Math.abs(value - other[at]!)), 0);
}

/** [N, S, S, 3] */
export function randomPictures(count: number, side: number): Uint8Array {
	return crypto.getRandomValues(new Uint8Array(count * side * side * 3));
}
