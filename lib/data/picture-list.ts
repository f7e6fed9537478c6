// The pictures in a folder one by one, without classes: files, or what `preparePictures` has made of them.
import {join, relative, sep} from 'node:path';
import {checked, filePath} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import {listTree, pictureKinds} from './listing.ts';
import {PackedPictures} from './packed/packed-pictures.ts';
import type {PictureInput} from './picture-input.ts';

export interface PictureList {
	/** Their paths in the folder, with '/'; of prepared ones those that their files had. */
	readonly names: readonly string[];
	/**
	 * A picture as it can be decoded.
	 *
	 * @param name one of the names
	 * @throws ALEXNET_PICTURE where a prepared one cannot be read; of a file, decoding tells.
	 */
	readonly input: (name: string) => Promise<PictureInput>;
}

/** @throws ALEXNET_FOLDER where it cannot be read, holds no picture, or prepared ones that are not whole. */
export async function listPictures(folder: string): Promise<PictureList> {
	const packed = await PackedPictures.open(checked('folder', filePath, folder));
	if (packed) return preparedPictures(folder, packed);
	const {pictures: names} = await listTree(folder, `a folder of ${pictureKinds} files`);
	if (names.length === 0) {
		throw new AlexNetError('ALEXNET_FOLDER', `'${folder}' holds no pictures. Expected ${pictureKinds} files.`);
	}
	return {names, input: (name) => Promise.resolve(join(folder, name))};
}

async function preparedPictures(folder: string, packed: PackedPictures): Promise<PictureList> {
	const {parts, imageSize} = packed.index.header;
	const all = await Promise.all(parts.map((_, part) => packed.classesOf(part)));
	const pictures = new Map(
		all.flat(2).map((picture) => [relative(folder, picture.path).split(sep).join('/'), picture] as const),
	);
	return {
		names: [...pictures.keys()],
		input: async (name) => {
			const picture = pictures.get(name);
			if (!picture) throw new AlexNetError('ALEXNET_PICTURE', `'${folder}' holds no picture '${name}'.`);
			const {pixels} = await packed.read(picture);
			return {data: pixels, width: imageSize, height: imageSize, channels: 3};
		},
	};
}
