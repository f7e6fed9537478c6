// Pictures to try a net on, fetched once and kept.
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {cacheFolder as userCacheFolder} from '../../base/cache-folder.ts';
import {callback, checked, filePath, instanceOf, integer, oneOf, option, options} from '../../base/check.ts';
import {AlexNetError} from '../../base/errors.ts';
import {codeOf, reasonOf} from '../../base/files.ts';
import {emoji} from './emoji.ts';
import type {Example} from './example.ts';
import {fashionMnist} from './fashion-mnist.ts';
import {photographs} from './photographs.ts';
import {makeWhole} from './whole-folder.ts';

/** A set of example pictures. */
export type ExampleName = 'emoji' | 'fashion-mnist' | 'photographs';

export const examples: Readonly<Record<ExampleName, Example>> = {
	...{emoji, 'fashion-mnist': fashionMnist, photographs},
};

export const exampleName = oneOf(Object.keys(examples) as ExampleName[]);

/** What `examplePictures` takes besides the name. */
export interface ExamplePicturesOptions {
	/**
	 * Pictures to train on, an equal share of each class; one for each five or six of them is held out besides. Default:
	 * 6,000 of fashion-mnist, 2,500 of photographs; of emoji there are always all.
	 */
	pictures?: number | undefined;
	/** A folder that holds the files which would be downloaded otherwise. */
	source?: string | undefined;
	/** Where pictures and downloads are kept. Default: alexnet-cuda in $XDG_CACHE_HOME, or in ~/.cache. */
	cacheFolder?: string | undefined;
	/** Rejects with the signal's reason, and leaves nothing half made; started again, it keeps what is downloaded. */
	signal?: AbortSignal | undefined;
	/** Called as pictures are laid out, with how many are and how many there will be. */
	onProgress?: ((done: number, total: number) => void) | undefined;
}

export const examplePicturesOptions = options<ExamplePicturesOptions>()({
	pictures: option(integer(1), 'pictures to train on, an equal share of each class'),
	source: option(filePath, 'a folder that holds the files which would be downloaded otherwise'),
	cacheFolder: option(filePath, 'where pictures and downloads are kept'),
	signal: instanceOf(AbortSignal),
	onProgress: callback(),
});

/** A folder of example pictures, laid out as `ImageFolder.open` takes it, and how many there are. */
export interface ExamplePictures {
	/** Holds {train,val}/<class>/… */
	readonly folder: string;
	/** Pictures to train on. */
	readonly train: number;
	/** Pictures held out. */
	readonly validation: number;
	/** Classes. */
	readonly classes: number;
	/** The largest class's share of the pictures held out: what always naming it would score. */
	readonly largestClass: number;
}

/**
 * Fetches pictures to try a net on, once, and keeps them in the user's cache folder. The folder appears whole or not at
 * all; a later call finds it there.
 *
 * - `emoji`: nine categories by two artists, 64 x 64; 150 MB with npm. Apache-2.0 and CC-BY-4.0.
 * - `fashion-mnist`: ten kinds of clothes, grey, 28 x 28; 31 MB with apt-get. MIT.
 * - `photographs`: crops of 25 photographs, each a class; 62 MB with apt-get. CC0, CC-BY, CC-BY-SA and GPL-2+.
 *
 * ```ts
 * const {folder} = await examplePictures('emoji');
 * const data = await ImageFolder.open(folder);
 * ```
 *
 * @throws ALEXNET_FOLDER where they cannot be downloaded (the message says what to do instead), where a file is not what
 * it should be, or the cache folder cannot be written; ALEXNET_ARGUMENT for another name, or a number of pictures that
 * there cannot be.
 */
export async function examplePictures(
	name: ExampleName,
	options: ExamplePicturesOptions = {},
): Promise<ExamplePictures> {
	const example = examples[checked('name', exampleName, name)];
	const given = checked('examplePictures', examplePicturesOptions, options);
	const {signal, onProgress = () => undefined, cacheFolder = userCacheFolder()} = given;
	const pictures = chosenPictures(name, example, given.pictures);
	const source = given.source === undefined ? undefined : resolve(given.source);
	const cache = resolve(cacheFolder);
	const folder = join(cache, pictures === 0 ? name : `${name}-${pictures}`);
	const identity = {version: example.version, pictures, source};
	signal?.throwIfAborted();
	try {
		const stampOf = async (path: string): Promise<string> =>
			JSON.stringify({...identity, ...(await countPictures(path))});
		const isWhole = async (): Promise<boolean> => (await readStamp(folder)) === (await stampOf(folder));
		await makeWhole(folder, isWhole, async (partial) => {
			const [made, scratch] = [join(partial, 'pictures'), join(partial, 'scratch')];
			for (const each of [made, scratch]) await mkdir(each);
			await example.layOut(made, {pictures, source, scratch, cacheFolder: cache, signal, onProgress});
			await writeFile(join(made, stampName), await stampOf(made));
			return made;
		});
		return {folder, ...(await countPictures(folder))};
	} catch (error) {
		if (error instanceof AlexNetError || error === signal?.reason || codeOf(error) === undefined) throw error;
		const message = `The ${name} pictures could not be laid out in '${folder}': ${reasonOf(error)}.`;
		throw new AlexNetError('ALEXNET_FOLDER', message, {cause: error});
	}
}

/** 0 where there is no choice. */
function chosenPictures(name: ExampleName, {choice}: Example, pictures: number | undefined): number {
	if (!choice) {
		if (pictures === undefined) return 0;
		throw new AlexNetError('ALEXNET_ARGUMENT', `pictures cannot be chosen of ${name}: there are always all.`);
	}
	const chosen = pictures ?? choice.default;
	if (chosen >= choice.least && chosen <= choice.most) return chosen;
	const message = `pictures must be at least ${choice.least} and at most ${choice.most} of ${name}, got ${chosen}.`;
	throw new AlexNetError('ALEXNET_ARGUMENT', message);
}

/** Laid beside train and val; it names everything that a kept folder depends on, and what it must hold. */
const stampName = 'whole.json';

async function readStamp(folder: string): Promise<string | undefined> {
	return readFile(join(folder, stampName), 'utf8').catch(() => undefined);
}

async function countPictures(folder: string): Promise<Omit<ExamplePictures, 'folder'>> {
	const counts = async (part: string): Promise<number[]> => {
		const classes = await readdir(join(folder, part)).catch(() => []);
		return Promise.all(classes.map(async (name) => (await readdir(join(folder, part, name))).length));
	};
	const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
	const [train, validation] = [await counts('train'), await counts('val')];
	const heldOut = sum(validation);
	return {
		train: sum(train),
		validation: heldOut,
		classes: train.length,
		largestClass: heldOut === 0 ? 0 : Math.max(...validation) / heldOut,
	};
}
