// Fashion-MNIST: 70,000 grey pictures of clothes, 28 x 28, in ten classes of equal size.
import {copyFile, mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import sharp from 'sharp';
import {AlexNetError} from '../../base/errors.ts';
import {debianFiles} from './debian-package.ts';
import {eachAtOnce, evenShare, type Example} from './example.ts';
import {readIdx} from './idx.ts';

const classes = [
	...['T-shirt', 'Trouser', 'Pullover', 'Dress', 'Coat'],
	...['Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
];
const side = 28;
/** Of the whole set. */
const parts = {train: {file: 'train', pictures: 60_000}, val: {file: 't10k', pictures: 10_000}} as const;

const directory = 'usr/share/datasets/fashion-mnist';
const files = Object.values(parts).flatMap(({file}) => [
	`${directory}/${file}-images-idx3-ubyte.gz`,
	`${directory}/${file}-labels-idx1-ubyte.gz`,
]);

export const fashionMnist: Example = {
	about: 'grey pictures of clothes, 28 x 28, ten classes of equal size',
	licence: 'MIT',
	needs: "31 MB with apt-get: Debian's dataset-fashion-mnist",
	version: 1,
	choice: {least: classes.length, most: parts.train.pictures, default: 6000},
	async layOut(folder, request) {
		const {pictures, signal, onProgress} = request;
		const found = await debianFiles({name: 'dataset-fashion-mnist', files}, request);
		const [trainImages = '', trainLabels = '', testImages = '', testLabels = ''] = found.files;
		const chosen = [
			...(await choose('train', trainImages, trainLabels, pictures)),
			...(await choose('val', testImages, testLabels, Math.max(classes.length, Math.ceil(pictures / 6)))),
		];
		for (const part of Object.keys(parts)) {
			for (const name of classes) await mkdir(join(folder, part, name), {recursive: true});
		}
		if (found.copyright !== undefined) await copyFile(found.copyright, join(folder, 'copyright.txt'));
		let done = 0;
		await eachAtOnce(chosen, signal, async ({path, pixels}) => {
			const picture = sharp(pixels, {raw: {width: side, height: side, channels: 1}});
			await picture.png().toFile(join(folder, path));
			onProgress(++done, chosen.length);
		});
	},
};

interface Chosen {
	readonly path: string;
	/** [side, side] */
	readonly pixels: Uint8Array;
}

/** The first pictures of each class, as evenly many as there can be. */
async function choose(part: keyof typeof parts, images: string, labels: string, total: number): Promise<Chosen[]> {
	const {pictures} = parts[part];
	const pixels = await readIdx(images, [pictures, side, side], pictures * side * side);
	const {values} = await readIdx(labels, [pictures], pictures);
	const wanted = classes.map((_, label) => evenShare(total, classes.length, label));
	const chosen: Chosen[] = [];
	for (const [index, label] of values.entries()) {
		const name = classes[label];
		if (name === undefined) {
			throw new AlexNetError('ALEXNET_FOLDER', `'${labels}' is damaged: label ${label} at ${index}, of 10 classes.`);
		}
		const left = wanted[label] ?? 0;
		if (left === 0) continue;
		wanted[label] = left - 1;
		chosen.push({
			path: join(part, name, `${String(index).padStart(5, '0')}.png`),
			pixels: pixels.values.subarray(index * side * side, (index + 1) * side * side),
		});
	}
	return chosen;
}
