// Files in MNIST's format.
import {gzipSync} from 'node:zlib';
import {randomNumbers, writeFiles} from './pictures.ts';

/** Bytes of a shape, gzipped. */
export function idxFile(shape: readonly number[], values: Uint8Array): Buffer {
	const header = Buffer.alloc(4 + 4 * shape.length);
	header.writeUInt32BE(0x800 + shape.length);
	for (const [index, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * index);
	return gzipSync(Buffer.concat([header, values]), {level: 1});
}

interface Part {
	/** [pictures, 28, 28] */
	readonly images: Uint8Array;
	readonly labels: Uint8Array;
}

/** Pictures in the shape of Fashion-MNIST: the first pixels of each tell its place, the rest is black. */
export function madeUpFashion(seed: number): {train: Part; test: Part} {
	const random = randomNumbers(seed);
	const part = (pictures: number): Part => {
		const images = new Uint8Array(pictures * 28 * 28);
		const view = new DataView(images.buffer);
		for (let index = 0; index < pictures; ++index) view.setUint32(index * 28 * 28, index);
		return {images, labels: Uint8Array.from({length: pictures}, () => random() * 10)};
	};
	return {train: part(60_000), test: part(10_000)};
}

/** As the package has them. */
export async function writeFashion(folder: string, {train, test}: {train: Part; test: Part}): Promise<void> {
	await writeFiles(folder, {
		'train-images-idx3-ubyte.gz': idxFile([60_000, 28, 28], train.images),
		'train-labels-idx1-ubyte.gz': idxFile([60_000], train.labels),
		't10k-images-idx3-ubyte.gz': idxFile([10_000, 28, 28], test.images),
		't10k-labels-idx1-ubyte.gz': idxFile([10_000], test.labels),
	});
}
