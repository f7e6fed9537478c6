// The table of predictions that `evaluate --csv` writes.
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {writePredictions} from '../../cli/predictions-csv.ts';
import type {SeenPicture} from '../../lib/index.ts';
import {Random} from '../../lib/selftest/random.ts';
import {temporaryFolder} from '../helpers/pictures.ts';

/** RFC 4180, read letter by letter. */
function parsed(text: string): string[][] {
	const rows: string[][] = [[]];
	let [cell, isQuoted] = ['', false];
	for (let at = 0; at < text.length; ++at) {
		const letter = text[at]!;
		if (isQuoted && letter === '"' && text[at + 1] === '"') cell += text[++at]!;
		else if (letter === '"') isQuoted = !isQuoted;
		else if (!isQuoted && (letter === ',' || (letter === '\r' && text[at + 1] === '\n'))) {
			rows.at(-1)!.push(cell);
			cell = '';
			if (letter === '\r') {
				rows.push([]);
				++at;
			}
		} else cell += letter;
	}
	if (isQuoted || cell !== '' || rows.at(-1)!.length > 0) throw new Error('The text ends within a row.');
	return rows.slice(0, -1);
}

const letters = ['a', 'Z', '7', '"', ',', ';', '\n', '\r\n', "'", ' ', '\t', '=', '-', 'é', '木', '|', '\\', '.'];

function randomName(random: Random): string {
	return Array.from({length: 1 + random.integer(8)}, () => letters[random.integer(letters.length)]!).join('') + 'x';
}

test('each picture has a row that reads back as it was told', async (t) => {
	const folder = await temporaryFolder(t);
	const random = new Random(`rows ${Math.random()}`);
	const labels = Array.from({length: 4}, (_, index) => `a${index}${randomName(random)}`);
	const pictures = Array.from({length: 60}, () => {
		return {path: join(folder, 'pictures', `p${randomName(random)}`, randomName(random)), label: random.integer(4)};
	});
	const seen: SeenPicture[] = pictures.map(({label}, index) => {
		const probabilities = Float32Array.from({length: 4}, () => random.uniform() ** 9);
		const order = [2, 0, 3, 1];
		return {
			...{index: 59 - index, label, loss: random.uniform() * 9},
			top: index === 7 ? [] : order.map((other) => ({label: other, probability: probabilities[other]!})),
		};
	});
	const path = join(folder, 'made', 'here', 'table.csv');
	const about = {folder: join(folder, 'pictures'), pictures, labels};
	const result = await writePredictions(path, about, async (see) => {
		for (const picture of seen) see(picture);
		return Promise.resolve('done');
	});
	t.is(result, 'done');
	const [header, ...rows] = parsed(await readFile(path, 'utf8'));
	t.is(header!.join(), 'path,label,loss,told,probability,told2,probability2,told3,probability3,told4,probability4');
	t.is(rows.length, 60);
	rows.forEach((row, place) => {
		const {index, label, loss, top} = seen[place]!;
		t.is(join(folder, 'pictures', row[0]!), pictures[index]!.path);
		t.is(row[1], labels[label]);
		t.true(Math.abs(Number(row[2]) - loss) < 1e-7);
		t.is(row.length, 11);
		const told = [3, 5, 7, 9].map((at) => [row[at], Math.fround(Number(row[at + 1]))]);
		const expected = top.map((each) => [labels[each.label], each.probability]);
		t.deepEqual(told, top.length === 0 ? Array(4).fill(['', 0]) : expected);
	});
});

test('no name is a formula to a spreadsheet, and numbers stay numbers', async (t) => {
	const folder = await temporaryFolder(t);
	const odd = ['=1+1', '+cmd', '-a', '@SUM(A1)', '\t=1', '\r=1', '＝1'];
	const labels = [...odd, '-12', '+3.5', 'plain'];
	const pictures = labels.map((name, label) => ({path: join(folder, name, '0.png'), label}));
	const path = join(folder, 'table.csv');
	await writePredictions(path, {folder, pictures, labels}, async (see) => {
		labels.forEach((_, label) => {
			see({index: label, label, loss: 0, top: [{label, probability: 1}]});
		});
		return Promise.resolve();
	});
	const rows = parsed(await readFile(path, 'utf8')).slice(1);
	rows.forEach(([place = '', label, , told], row) => {
		t.notRegex(place, /^[=+\-@\t\r＝]/);
		t.is(join(folder, place), pictures[row]!.path);
		t.is(label, row < odd.length ? `'${odd[row]!}` : labels[row]);
		t.is(told, label);
	});
});

test('where evaluation fails, the file that stood there is untouched and nothing lies beside it', async (t) => {
	const folder = await temporaryFolder(t);
	const path = join(folder, 'table.csv');
	await writeFile(path, 'old');
	const about = {folder, pictures: [{path: join(folder, 'a.png'), label: 0}], labels: ['a']};
	const failure = new Error('the device is gone');
	const failing = writePredictions(path, about, async (see) => {
		see({index: 0, label: 0, loss: 1, top: []});
		return Promise.reject(failure);
	});
	t.is(await t.throwsAsync(failing), failure);
	t.is(await readFile(path, 'utf8'), 'old');
	t.deepEqual(await readdir(folder), ['table.csv']);
});

test('what cannot be written is refused before anything is evaluated', async (t) => {
	const folder = await temporaryFolder(t);
	await mkdir(join(folder, 'taken.csv'));
	await writeFile(join(folder, 'file'), '');
	const about = {folder, pictures: [], labels: ['a']};
	const never = async (): Promise<never> => Promise.reject(new Error('It was evaluated.'));
	await t.throwsAsync(writePredictions(join(folder, 'taken.csv'), about, never), {
		code: 'ALEXNET_ARGUMENT',
		message: /^csv must be a file's path, and '.*taken\.csv' is a folder\./,
	});
	await t.throwsAsync(writePredictions(join(folder, 'file', 'table.csv'), about, never), {
		code: 'ALEXNET_CHECKPOINT',
		message: /^Could not write .*table\.csv: /,
	});
});
