// The archives of ILSVRC-2012 as they are downloaded: a tar of a tar for each class, a tar of the validation pictures, and
// the devkit, which knows of which classes they are.
import {stat} from 'node:fs/promises';
import {basename} from 'node:path';
import {AlexNetError} from '../../base/errors.ts';
import {reasonOf} from '../../base/files.ts';
import {isPictureName} from '../listing.ts';
import {readDevkit, type Devkit} from './ilsvrc-devkit.ts';
import {tarFiles, type TarFile} from './tar-entries.ts';
import type {Source, SourcePicture} from './source.ts';

/** @throws ALEXNET_FOLDER where an archive cannot be read, or is another one. */
export async function ilsvrcSource(paths: readonly string[]): Promise<Source> {
	const [train, validation, devkitPath] = paths;
	if (train === undefined || validation === undefined || devkitPath === undefined || paths.length !== 3) {
		const message = `ILSVRC takes three archives, got ${paths.length}: train.tar, val.tar and devkit.tar.gz.`;
		throw new AlexNetError('ALEXNET_ARGUMENT', message);
	}
	const devkit = await readDevkit(devkitPath);
	const sizes = [await sizeOf(train), await sizeOf(validation)];
	return {
		...{labels: devkit.labels, parts: 2, leftOut: new Map(), remarks: []},
		total: devkit.trained + devkit.validation.length,
		identity: `ilsvrc ${sizes.join(' ')} ${devkit.digest}`,
		async *pictures(from): AsyncGenerator<SourcePicture, void, undefined> {
			let behind = from;
			for await (const {file, ...place} of filesOf(train, validation, devkit)) {
				if (behind-- > 0) continue;
				const bytes = await file.read();
				yield {...place, read: () => Promise.resolve(bytes)};
			}
		},
	};
}

interface Found extends Omit<SourcePicture, 'read'> {
	readonly file: TarFile;
}

async function* filesOf(train: string, validation: string, devkit: Devkit): AsyncGenerator<Found, void, void> {
	for await (const archive of tarFiles(train)) {
		const wnid = basename(archive.name, '.tar');
		const label = devkit.places.get(wnid);
		if (!archive.name.endsWith('.tar') || label === undefined)
			throw notOne(train, archive.name, 'a tar for each class, such as n01440764.tar');
		for await (const file of archive.files()) {
			const name = basename(file.name);
			if (isPictureName(name)) yield {file, part: 0, label, name, path: `${train}/${archive.name}/${file.name}`};
		}
	}
	for await (const file of tarFiles(validation)) {
		const name = basename(file.name);
		if (!isPictureName(name)) continue;
		const number = Number(/_(\d+)\.\w+$/.exec(name)?.[1]);
		const label = devkit.validation[number - 1];
		if (label === undefined) throw notOne(validation, file.name, 'pictures such as ILSVRC2012_val_00000001.JPEG');
		yield {file, part: 1, label, name, path: `${validation}/${file.name}`};
	}
}

function notOne(archive: string, name: string, expected: string): AlexNetError {
	const message = `'${archive}' holds '${name}', of which the devkit does not know. Expected ${expected}.`;
	return new AlexNetError('ALEXNET_FOLDER', message);
}

async function sizeOf(path: string): Promise<number> {
	try {
		return (await stat(path)).size;
	} catch (error) {
		throw new AlexNetError('ALEXNET_FOLDER', `The archive '${path}' cannot be read: ${reasonOf(error)}.`, {
			cause: error,
		});
	}
}
