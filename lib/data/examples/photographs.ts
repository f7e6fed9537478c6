// Crops of large photographs, each photograph a class of its own: natural pictures, though few scenes.
import {copyFile, mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import sharp from 'sharp';
import {AlexNetError, messageOf} from '../../base/errors.ts';
import {draws, philox, uniformInteger} from '../../base/random.ts';
import {debianFiles} from './debian-package.ts';
import {eachAtOnce, evenShare, type Example} from './example.ts';

/** The photographs among the packages' pictures. */
const packages = [
	{
		name: 'lomiri-wallpapers-16.04',
		directory: 'usr/share/backgrounds',
		photographs: {
			autumn: 'aitzgorri_by_Aitzol_Berasategi',
			bowl: 'Picture_0B_by_freespace',
			bridge: 'Bridge_by_Sander_Klootwijk',
			brook: 'life_by_Aitzol_Berasategi',
			brushes: 'Picture_1A_by_freespace',
			clock: 'greentock_by_Peter_Nerlich',
			dandelion: 'seeding_by_Clements_Engelhardt',
			dogs: 'friends_by_Aitzol_Berasategi',
			dragonfly: 'Dragonfly_by_Bolly',
			drum: 'Wine_by_Jakkub_Mede',
			lamp: 'free_by_Peter_Nerlich',
			mountains: 'picosdeeuropa_by_Aitzol_Berasategi',
			sunset: 'sunset_by_Aitzol_Berasategi',
		},
	},
	{
		name: 'mate-backgrounds',
		directory: 'usr/share/backgrounds/mate/nature',
		photographs: {
			dew: 'RainDrops',
			drop: 'Aqua',
			dune: 'Dune',
			gerbera: 'FreshFlower',
			grass: 'GreenMeadow',
			ladybird: 'LadyBird',
			leaf: 'Blinds',
			marigold: 'Garden',
			seeds: 'TwoWings',
			storm: 'Storm',
			sunflower: 'YellowFlower',
			wood: 'Wood',
		},
	},
] as const;

/** The file of each class. */
export const photographFiles: Readonly<Record<string, string>> = Object.fromEntries(
	packages.flatMap(({photographs: named}) => Object.entries(named).map(([label, file]) => [label, `${file}.jpg`])),
);

const classes = Object.keys(photographFiles).length;

/** Larger photographs are scaled to it, so that a crop shows more than blur. */
const longestSide = 2560;
/** Of a crop's side, in pixels of the photograph; and the side at which it is kept. */
const [smallestCrop, largestCrop, keptSide] = [256, 400, 256];
/** One of so many blocks is held out, and so many training pictures go with one held out. */
const [blocksPerHeldOut, trainPerHeldOut] = [5, 5];

export const photographs: Example = {
	about: `crops of ${classes} photographs, 256 x 256; the class is the photograph, the crops held out are of other parts of it`,
	licence: "CC0, CC-BY-4.0, CC-BY-SA-4.0 and GPL-2+, by picture: the packages' copyright files lie beside them",
	needs: `62 MB with apt-get: Debian's ${packages.map(({name}) => name).join(' and ')}`,
	version: 1,
	choice: {least: classes, most: 1000 * classes, default: 100 * classes},
	async layOut(folder, request) {
		const {pictures, signal, onProgress} = request;
		const heldOut = Math.max(classes, Math.ceil(pictures / trainPerHeldOut));
		let [place, done] = [0, 0];
		for (const {name, directory, photographs: named} of packages) {
			const paths = Object.values(named).map((file) => `${directory}/${file}.jpg`);
			const {files, copyright} = await debianFiles({name, files: paths}, request);
			if (copyright !== undefined) await copyFile(copyright, join(folder, `copyright-${name}.txt`));
			for (const [index, label] of Object.keys(named).entries()) {
				const photograph = await readPhotograph(files[index] ?? '');
				const counts = {
					train: evenShare(pictures, classes, place),
					val: evenShare(heldOut, classes, place),
				};
				for (const part of Object.keys(counts)) await mkdir(join(folder, part, label), {recursive: true});
				await eachAtOnce(cropsOf(photograph.info, counts, place++), signal, async (crop) => {
					const file = `${String(crop.index).padStart(3, '0')}.jpg`;
					await writeCrop(photograph, crop, join(folder, crop.part, label, file));
					onProgress(++done, pictures + heldOut);
				});
			}
		}
	},
};

interface Photograph {
	/** RGB, [height, width, 3] */
	readonly data: Uint8Array;
	readonly info: {readonly width: number; readonly height: number};
}

async function readPhotograph(path: string): Promise<Photograph> {
	try {
		return await sharp(path)
			.autoOrient()
			.resize(longestSide, longestSide, {fit: 'inside', withoutEnlargement: true})
			.toColourspace('srgb')
			.raw()
			.toBuffer({resolveWithObject: true});
	} catch (error) {
		const message = `'${path}' cannot be used: ${messageOf(error)}. Replace it with the original file.`;
		throw new AlexNetError('ALEXNET_FOLDER', message, {cause: error});
	}
}

async function writeCrop({data, info}: Photograph, {left, top, side}: Crop, path: string): Promise<void> {
	await sharp(data, {raw: {width: info.width, height: info.height, channels: 3}})
		.extract({left, top, width: side, height: side})
		.resize(keptSide, keptSide)
		.jpeg({quality: 90})
		.toFile(path);
}

/** A square of a photograph. */
export interface Crop {
	readonly part: 'train' | 'val';
	/** Among those of its part. */
	readonly index: number;
	readonly left: number;
	readonly top: number;
	readonly side: number;
}

/**
 * Draws crops by the photograph's place. The photograph is cut into blocks of at least the largest crop's side, some of
 * which are held out, and a crop lies within a block: so no pixel is in both parts.
 */
export function cropsOf(
	{width, height}: {readonly width: number; readonly height: number},
	counts: Readonly<Record<Crop['part'], number>>,
	place: number,
): Crop[] {
	const [columns, rows] = [width, height].map((length) => Math.floor(length / largestCrop)) as [number, number];
	const blocks = Array.from({length: columns * rows}, (_, index) => index);
	const random = drawer(place);
	const order = blocks.map((block) => ({block, lot: random(2 ** 32)})).sort((one, other) => one.lot - other.lot);
	const heldOut = Math.max(1, Math.floor(blocks.length / blocksPerHeldOut));
	const chosen = {val: order.slice(0, heldOut), train: order.slice(heldOut)};
	/** The least and most of a row or column of blocks. */
	const edges = (index: number, of: number, length: number): [number, number] => [
		Math.floor((index * length) / of),
		Math.floor(((index + 1) * length) / of),
	];
	return (['train', 'val'] as const).flatMap((part) =>
		Array.from({length: counts[part]}, (_, index): Crop => {
			const {block} = chosen[part][random(chosen[part].length)] ?? {block: 0};
			const side = smallestCrop + random(largestCrop - smallestCrop + 1);
			const [left, right] = edges(block % columns, columns, width);
			const [top, bottom] = edges(Math.floor(block / columns), rows, height);
			return {
				...{part, index, side},
				left: left + random(right - left - side + 1),
				top: top + random(bottom - top - side + 1),
			};
		}),
	);
}

/** Uniform integers below a bound, one after the other. */
function drawer(place: number): (below: number) => number {
	let next = 0;
	return (below) => uniformInteger(philox(0, [next++, place, 0, draws.views])[0], below);
}
