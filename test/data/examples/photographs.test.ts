// Crops of photographs: those held out share no pixel with those trained on.
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import {cropsOf, photographFiles, type Crop} from '../../../lib/data/examples/photographs.ts';
import {examplePictures} from '../../../lib/index.ts';
import {randomNumbers, temporaryFolder, writeFiles} from '../../helpers/pictures.ts';

const overlap = (one: Crop, other: Crop): boolean =>
	Math.abs(2 * one.left + one.side - 2 * other.left - other.side) < one.side + other.side &&
	Math.abs(2 * one.top + one.side - 2 * other.top - other.side) < one.side + other.side;

test('crops lie in the photograph, and no pixel is in both parts', (t) => {
	const random = randomNumbers(Date.now());
	for (let round = 0; round < 40; ++round) {
		const [width, height] = [800 + Math.floor(random() * 1760), 400 + Math.floor(random() * 2160)];
		const counts = {train: 1 + Math.floor(random() * 60), val: 1 + Math.floor(random() * 20)};
		const place = Math.floor(random() * 1000);
		const crops = cropsOf({width, height}, counts, place);
		t.deepEqual(crops, cropsOf({width, height}, counts, place), 'the same again');
		const [train, val] = (['train', 'val'] as const).map((part) => crops.filter((crop) => crop.part === part));
		t.deepEqual([train!.length, val!.length], [counts.train, counts.val]);
		for (const {left, top, side} of crops) {
			t.true(left >= 0 && top >= 0 && left + side <= width && top + side <= height);
			t.true(side >= 256 && side <= 400);
		}
		const shared = train!.some((one) => val!.some((other) => overlap(one, other)));
		t.false(shared, `${width} x ${height}`);
	}
});

test('an overlap would be found', (t) => {
	const crop = {part: 'train', index: 0, left: 10, top: 20, side: 30} as const;
	t.true(overlap(crop, {...crop, left: 39, top: 49}));
	t.true(overlap(crop, {...crop, left: 15, top: 25, side: 5}));
	t.false(overlap(crop, {...crop, left: 40}));
	t.false(overlap(crop, {...crop, top: 50, side: 9}));
});

test('each photograph is a class, of which crops are laid out', async (t) => {
	const root = await temporaryFolder(t);
	const [source, cacheFolder] = [join(root, 'source'), join(root, 'cache')];
	const names = Object.entries(photographFiles);
	const colours = new Map(names.map(([label], index) => [label, [10 * index, 255 - 10 * index, 128] as const]));
	for (const [label, file] of names) {
		const [r, g, b] = colours.get(label)!;
		const photograph = sharp({create: {width: 810, height: 405, channels: 3, background: {r, g, b}}});
		await writeFiles(source, {[file]: await photograph.jpeg().toBuffer()});
	}
	const made = await examplePictures('photographs', {source, cacheFolder, pictures: 51});
	const classes = names.length;
	t.deepEqual(made, {
		folder: join(cacheFolder, 'photographs-51'),
		...{train: 51, validation: classes, classes, largestClass: 1 / classes},
	});
	for (const [label, colour] of colours) {
		for (const part of ['train', 'val']) {
			const [first = ''] = await readdir(join(made.folder, part, label));
			const {data, info} = await sharp(join(made.folder, part, label, first))
				.raw()
				.toBuffer({resolveWithObject: true});
			t.deepEqual([info.width, info.height, info.channels], [256, 256, 3]);
			t.true(
				[0, 1, 2].every((channel) => Math.abs(data[channel]! - colour[channel]!) < 6),
				label,
			);
		}
	}
	await writeFiles(source, {[names[3]![1]]: 'This is no picture.'});
	const error = {code: 'ALEXNET_FOLDER', message: new RegExp(`${names[3]![1]}' cannot be used`)};
	await t.throwsAsync(examplePictures('photographs', {source, cacheFolder, pictures: 50}), error);
});
