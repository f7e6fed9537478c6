// Which pictures are the most similar, and the picture that shows them.
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import {drawGrid} from '../../lib/features/grid.ts';
import {nearest} from '../../lib/features/nearest.ts';
import {Random} from '../../lib/selftest/random.ts';
import {plainPicture, temporaryFolder} from '../helpers/pictures.ts';

test('the nearest rows by Euclidean distance, nearest first, the first of equal ones first', (t) => {
	const random = new Random(`nearest ${Date.now()}`);
	const [rows, width] = [40, 1 + random.integer(9)];
	const values = Float32Array.from({length: rows * width}, () => random.uniform());
	values.copyWithin(7 * width, 30 * width, 31 * width);
	const vector = values.slice(30 * width, 31 * width);
	const found = nearest(vector, values, 5);
	t.deepEqual(found.slice(0, 2), [
		{place: 7, distance: 0},
		{place: 30, distance: 0},
	]);
	const distance = (row: number): number =>
		Math.hypot(...vector.map((value, index) => value - values[row * width + index]!));
	for (const {place, distance: told} of found) t.true(Math.abs(told - distance(place)) < 1e-6);
	const others = Array.from({length: rows}, (_, row) => row).filter((row) => !found.some(({place}) => place === row));
	t.true(others.every((row) => distance(row) >= found.at(-1)!.distance - 1e-6));
	t.is(nearest(vector, values, 100).length, rows);
});

test('a grid has a row for each picture, the others to its right', async (t) => {
	const folder = await temporaryFolder(t);
	const colours = {red: [250, 0, 0], green: [0, 250, 0], blue: [0, 0, 250]} as const;
	const paths = new Map<string, string>();
	for (const [name, colour] of Object.entries(colours)) {
		paths.set(name, join(folder, `${name}.png`));
		await writeFile(paths.get(name)!, await plainPicture(colour, 40));
	}
	const path = (name: string): string => paths.get(name)!;
	const grid = join(folder, 'grid.png');
	await drawGrid(
		[
			{picture: path('red'), others: [path('green'), path('blue')]},
			{picture: path('blue'), others: [path('red')]},
		],
		grid,
	);
	const {data, info} = await sharp(grid).raw().toBuffer({resolveWithObject: true});
	const at = (x: number, y: number): number[] => [
		...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3),
	];
	const [side, right] = [128, info.width - 64];
	t.deepEqual([info.width, info.height, info.channels], [3 * side + 24 + 6, 2 * side + 6, 3]);
	t.deepEqual(at(64, 64), [...colours.red]);
	t.deepEqual(at(side + 12, 64), [255, 255, 255], 'a gap apart');
	t.deepEqual(at(side + 24 + 64, 64), [...colours.green]);
	t.deepEqual(at(right, 64), [...colours.blue]);
	t.deepEqual(at(64, side + 6 + 64), [...colours.blue]);
	t.deepEqual(at(side + 24 + 64, side + 6 + 64), [...colours.red]);
	t.deepEqual(at(right, side + 6 + 64), [255, 255, 255]);
	await t.throwsAsync(drawGrid([{picture: join(folder, 'none.png'), others: []}], grid), {code: 'ALEXNET_PICTURE'});
});
