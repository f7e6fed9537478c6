// Names in Unicode's forms NFC and NFD: what macOS or a NAS has made of a folder is the same pictures.
import {createHash} from 'node:crypto';
import {join, relative} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {openAsTrained} from '../../cli/run-pictures.ts';
import {AlexNet, ImageFolder, type Dataset, type TrainReport} from '../../lib/index.ts';
import {tinyNet} from '../helpers/networks.ts';
import {plainPicture, randomColour, randomNumbers, temporaryFolder, writeFiles} from '../helpers/pictures.ts';

const forms = ['NFC', 'NFD'] as const;
type Folders = Readonly<Record<(typeof forms)[number], string>>;

const random = randomNumbers(Math.floor(Math.random() * 2 ** 32));

/** Pictures whose names sort in one order in NFC and in another in NFD: é comes after z, e with an accent before f. */
async function writeForms(t: ExecutionContext): Promise<Folders> {
	const folder = await temporaryFolder(t);
	const names = ['é', 'f', 'ü', 'z'].flatMap((letter) => ['1', 'ä', 'b/ö', 'bz'].map((rest) => `${letter}/${rest}`));
	for (const label of ['ape', 'Bär']) {
		for (const name of names) {
			const picture = await plainPicture(randomColour(random));
			for (const form of forms)
				await writeFiles(join(folder, form), {[`${label}/${name}.png`.normalize(form)]: picture});
		}
	}
	return {NFC: join(folder, 'NFC'), NFD: join(folder, 'NFD')};
}

const namesIn = (folder: string, {pictures}: Dataset): string[] => pictures.map(({path}) => relative(folder, path));

test('either form has the same pictures in the same order, held out alike', async (t) => {
	const folders = await writeForms(t);
	const seed = Math.floor(random() * 1000);
	const open = (form: keyof Folders) => ImageFolder.open(folders[form], {seed, validationFraction: 0.3});
	const [composed, decomposed] = [await open('NFC'), await open('NFD')];
	for (const part of ['train', 'validation'] as const) {
		const names = namesIn(folders.NFC, composed[part]);
		const others = namesIn(folders.NFD, decomposed[part]);
		t.notDeepEqual(others, names, 'files are opened by the names that they have');
		t.deepEqual(
			others.map((name) => name.normalize('NFC')),
			names,
		);
		t.deepEqual(await decomposed[part].contents(), await composed[part].contents());
	}
});

test('names in NFC have the order and the digest of earlier versions', async (t) => {
	const folder = (await writeForms(t)).NFC;
	const {labels, train} = await ImageFolder.open(folder, {validationFraction: 0});
	const contents = await train.contents();
	for (const [index, label] of labels.entries()) {
		const own = namesIn(join(folder, label), train).filter((name) => !name.startsWith('..'));
		t.deepEqual(own, [...own].sort());
		const hash = createHash('sha256').update(own.map((name) => `${name}\n`).join(''));
		t.is(contents[index]?.digest, hash.digest('hex').slice(0, 16));
	}
});

test('pictures whose names differ in form alone are two, in one order', async (t) => {
	const folder = await temporaryFolder(t);
	const [composed, decomposed] = forms.map((form) => 'é.jpg'.normalize(form)) as [string, string];
	const seeds = Array.from({length: 20}, (_, seed) => seed);
	for (const [place, names] of [
		[composed, decomposed, 'f.jpg'],
		['f.jpg', decomposed, composed],
	].entries()) {
		for (const name of names) await writeFiles(join(folder, `${place}`), {[`ape/${name}`]: 'x'});
	}
	for (const seed of seeds) {
		const [first, second] = await Promise.all(
			['0', '1'].map(async (place) => {
				const at = join(folder, place);
				const {train, validation} = await ImageFolder.open(at, {seed, validationFraction: 0.34});
				return {train: namesIn(at, train), validation: namesIn(at, validation)};
			}),
		);
		t.deepEqual(first, second);
		const all = [...first!.train, ...first!.validation];
		t.deepEqual(all.sort(), ['f.jpg', composed, decomposed].map((name) => `ape/${name}`).sort());
	}
});

for (const [from, to] of [
	['NFC', 'NFD'],
	['NFD', 'NFC'],
] as const) {
	test(`a run begun in ${from} goes on in ${to} bit for bit, and evaluate knows its folder`, async (t) => {
		const folders = await writeForms(t);
		const reports = async (model: AlexNet, folder: string, count = Infinity): Promise<TrainReport[]> => {
			const {train, validation} = await ImageFolder.open(folder, {imageSize: 32, seed: 3, validationFraction: 0.25});
			const seen: TrainReport[] = [];
			for await (const report of model.train(train, {validation, epochs: 3})) {
				if (seen.push({...report, imagesPerSecond: 0}) === count) break;
			}
			return seen;
		};
		const fresh = async (): Promise<AlexNet> => {
			const model = AlexNet.uninitialized({architecture: tinyNet(2), labels: ['Bär', 'ape'], batchSize: 6, seed: 3});
			await model.initialize();
			return model;
		};
		await using whole = await fresh();
		await using left = await fresh();
		const expected = await reports(whole, folders[from]);
		const before = await reports(left, folders[from], 7);
		const {isOfRun} = await openAsTrained(folders[to], left, {}, undefined);
		t.true(isOfRun);
		t.deepEqual([...before, ...(await reports(left, folders[to]))], expected);
		t.deepEqual(await left.getParameters(), await whole.getParameters());
	});
}
