// What a program has set of sharp, for its own pictures, stays as it is.
import test from 'ava';
import sharp from 'sharp';
import {plainPicture} from '../helpers/pictures.ts';

function settings(): unknown {
	const {memory, files, items} = sharp.cache();
	return {threads: sharp.concurrency(), memory: memory.max, files: files.max, items: items.max};
}

test('importing the package and decoding a picture leaves the settings of sharp', async (t) => {
	sharp.concurrency(3);
	sharp.cache({memory: 17, files: 5, items: 23});
	const before = settings();
	t.deepEqual(before, {threads: 3, memory: 17, files: 5, items: 23});
	const {decodePicture} = await import('../../lib/index.ts');
	await decodePicture(await plainPicture([1, 2, 3]), 8);
	t.deepEqual(settings(), before);
});
