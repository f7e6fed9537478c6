// Prepared pictures are those of the folder that they were made of, in all that a user can see.
import {cp, mkdtemp, readdir, readFile, rm, truncate, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {shuffled} from '../../../lib/base/random.ts';
import {Dataset, ImageFolder} from '../../../lib/index.ts';
import {randomNumbers, temporaryFolder, writeFiles} from '../../helpers/pictures.ts';
import {batchesOf, openAt, prepare, randomPictures, side, writeOddFolder} from '../../helpers/prepared.ts';

const seed = Math.floor(Math.random() * 2 ** 31);

let shared = '';
test.before(async () => {
	shared = await mkdtemp(join(tmpdir(), 'alexnet-'));
	await writeOddFolder(join(shared, 'pictures'), seed);
	for (const as of ['raw', 'jpeg'] as const) await prepare(join(shared, 'pictures'), join(shared, as), {as});
});
test.after.always(async () => rm(shared, {recursive: true, force: true}));

/** Copies of the pictures and of what was made of them. */
async function both(t: ExecutionContext, as: 'raw' | 'jpeg' = 'raw') {
	t.log(`seed ${seed}`);
	const folder = await temporaryFolder(t);
	const [pictures, prepared] = [join(folder, 'pictures'), join(folder, 'prepared')];
	// A copy of these as well: what a process has decoded before is not looked at so closely again.
	await cp(join(shared, 'pictures'), pictures, {recursive: true});
	await cp(join(shared, as), prepared, {recursive: true});
	return {pictures, prepared};
}

const below = (folder: string, found: ReadonlyMap<string, string>): Record<string, string> =>
	Object.fromEntries([...found].map(([path, reason]) => [path.slice(folder.length + 1), reason] as const).sort());

for (const options of [{}, {validationFraction: 0.4, seed: 7}, {validationFraction: 0}, {cacheBytes: 0}]) {
	test(`the same batches, divided as ${JSON.stringify(options)} says`, async (t) => {
		const {pictures, prepared} = await both(t);
		const [data, packed] = [await openAt(pictures, options), await openAt(prepared, options)];
		t.deepEqual(packed.labels, data.labels);
		t.deepEqual(packed.remarks, data.remarks);
		t.deepEqual(packed.leftOut, data.leftOut);
		for (const part of ['train', 'validation'] as const) {
			const [one, other] = [data[part], packed[part]];
			t.is(other.size, one.size);
			t.deepEqual(await other.contents(), await one.contents(), 'a run that began on the folder goes on');
			for (const epoch of [1, 2]) {
				const order = await shuffled(one.size, seed, epoch);
				t.deepEqual(await batchesOf(other, order), await batchesOf(one, order));
			}
			t.deepEqual(below(prepared, other.unreadable), below(pictures, one.unreadable));
			t.deepEqual(below(prepared, other.suspect), below(pictures, one.suspect));
			t.deepEqual(other.unreadablePlaces, one.unreadablePlaces);
		}
		t.deepEqual(await packed.train.statistics(), await data.train.statistics());
		const odd = [...packed.train.unreadable.keys(), ...packed.validation.unreadable.keys()];
		t.is(odd.length, 2, 'a broken and a cut one');
	});
}

test('a held-out folder of its own stays one', async (t) => {
	const folder = await temporaryFolder(t);
	const [pictures, prepared] = [join(folder, 'pictures'), join(folder, 'prepared')];
	await writeFiles(join(pictures, 'Training'), await randomPictures(seed, ['a', 'b', 'c'], 5));
	await writeFiles(join(pictures, 'valid'), await randomPictures(seed + 9, ['a', 'c'], 3));
	const report = await prepare(pictures, prepared);
	t.is(report.pictures, 21);
	const [data, packed] = [await openAt(pictures), await openAt(prepared, {validationFraction: 0.5})];
	for (const part of ['train', 'validation'] as const) {
		const order = await shuffled(data[part].size, seed, 3);
		t.deepEqual(await batchesOf(packed[part], order), await batchesOf(data[part], order));
		t.deepEqual(await packed[part].contents(), await data[part].contents());
	}
	t.is(packed.validation.size, 6);
});

test('the report names what is odd; a strict folder stops at it', async (t) => {
	const {pictures, prepared} = await both(t);
	const report = await prepare(pictures, prepared);
	t.is(report.pictures, 30, 'of what is done already');
	t.deepEqual(Object.keys(below(prepared, report.unreadable)), ['ant/broken.png', 'bee/cut.png']);
	t.deepEqual(Object.keys(below(prepared, report.suspect)), ['bee/longer.jpg']);
	const {train} = await openAt(prepared, {strict: true, validationFraction: 0});
	const failure = {code: 'ALEXNET_PICTURE', message: /prepared.ant.broken\.png': it is not a JPEG/};
	await t.throwsAsync(train.statistics(), failure);
	const longer = train.pictures.findIndex(({path}) => path.endsWith('longer.jpg'));
	await t.throwsAsync(batchesOf(train, [longer]), {code: 'ALEXNET_PICTURE', message: /longer\.jpg': it is damaged/});
});

test('a dataset of some of its pictures reads them', async (t) => {
	const {prepared} = await both(t);
	const {train, validation, labels} = await openAt(prepared);
	const pictures = [...train.pictures, ...validation.pictures];
	const {decode} = train;
	const all = new Dataset({labels, pictures, imageSize: side, decode});
	const [one] = await batchesOf(all, [pictures.length - 1]);
	const [same] = await batchesOf(validation, [validation.size - 1]);
	t.deepEqual(one?.images, same?.images);
	const foreign = new Dataset({labels, pictures: [{path: 'a.png', label: 0}], imageSize: side, decode});
	await t.throwsAsync(batchesOf(foreign, [0]), {code: 'ALEXNET_PICTURE'});
});

test('as JPEG: the picture nearly, and its bytes are the encoder’s', async (t) => {
	const {pictures, prepared} = await both(t, 'jpeg');
	const [data, packed] = [await openAt(pictures), await openAt(prepared)];
	const order = Array.from({length: data.train.size}, (_, place) => place);
	const [batches, others] = [await batchesOf(data.train, order), await batchesOf(packed.train, order)];
	t.deepEqual(
		others.map(({indices}) => indices),
		batches.map(({indices}) => indices),
	);
	const sums = {difference: 0, values: 0};
	others.forEach(({images}, place) => {
		images.forEach((value, at) => (sums.difference += Math.abs(value - (batches[place]?.images[at] ?? NaN))));
		sums.values += images.length;
	});
	// Blocks of hard colours are the worst that JPEG can be given.
	t.true(sums.difference / sums.values < 40, `${sums.difference / sums.values}`);
	t.true(sums.difference > 0);
	const shard = await readFile(join(prepared, 'shard-00000.pack'));
	t.is(shard.toString('latin1', 0, 2), '\xff\xd8');
	t.notDeepEqual(await packed.train.contents(), await data.train.contents(), 'a run on the folder does not go on');
});

test('another side is refused; without one the folder tells', async (t) => {
	const {prepared} = await both(t);
	await t.throwsAsync(openAt(prepared, {imageSize: 32}), {code: 'ALEXNET_FOLDER', message: /16 x 16.*32/});
	t.is((await ImageFolder.open(prepared)).train.imageSize, side);
});

/** Opens and reads all, by the batch. */
async function readAll(prepared: string, strict: boolean): Promise<ReadonlyMap<string, string>> {
	const {train} = await openAt(prepared, {validationFraction: 0, strict});
	await train.check();
	return train.unreadable;
}

for (const as of ['raw', 'jpeg'] as const) {
	test(`each flipped byte is found, as ${as}`, async (t) => {
		const {prepared} = await both(t, as);
		const random = randomNumbers(seed + 2);
		const odd = (await readAll(prepared, false)).size;
		const names = (await readdir(prepared)).filter((name) => /\.(pack|index)$/.test(name));
		t.true(names.length > 3);
		for (const name of names) {
			const whole = await readFile(join(prepared, name));
			for (let flip = 0; flip < 12; ++flip) {
				const damaged = Buffer.from(whole);
				const place = Math.floor(random() * whole.length);
				damaged[place] = damaged[place]! ^ (1 + Math.floor(random() * 255));
				await writeFile(join(prepared, name), damaged);
				if (name.endsWith('.index')) {
					const failure = {code: 'ALEXNET_FOLDER', message: /index.*damaged.*prepare the pictures again/};
					await t.throwsAsync(openAt(prepared), failure, `byte ${place}`);
				} else {
					const found = await readAll(prepared, false);
					t.is(found.size, odd + 1, `byte ${place} of ${name}`);
					t.true([...found.values()].some((reason) => reason.includes(name) && reason.includes('checksum')));
				}
			}
			for (const length of [0, 1, Math.floor(whole.length / 2), whole.length - 1]) {
				await writeFile(join(prepared, name), whole.subarray(0, length));
				await t.throwsAsync(openAt(prepared), {code: 'ALEXNET_FOLDER'}, `${name} cut to ${length}`);
			}
			await writeFile(join(prepared, name), whole);
		}
		t.is((await readAll(prepared, false)).size, odd);
	});
}

test('what happens to a shard after opening: cut, it loses pictures; gone, the storage is to blame', async (t) => {
	const {prepared} = await both(t);
	const {train} = await openAt(prepared, {validationFraction: 0});
	const {labels, pictures, decode} = (await openAt(prepared)).train;
	const shard = join(prepared, 'shard-00001.pack');
	const copy = await readFile(shard);
	await truncate(shard, copy.length - 1);
	await train.check();
	t.is([...train.unreadable.values()].filter((reason) => reason.includes('end too early')).length, 1);

	const data = new Dataset({labels, pictures, imageSize: side, retrySeconds: 0, decode});
	await rm(join(prepared, 'shard-00002.pack'));
	await t.throwsAsync(data.check(), {code: 'ALEXNET_FOLDER', message: /no such file/});
	t.true([...data.unreadable.values()].every((reason) => !reason.includes('no such file')));
});

test('reads fill the batch itself', async (t) => {
	const {prepared} = await both(t);
	const {train} = await openAt(prepared, {validationFraction: 0});
	const memory: Uint8Array[] = [];
	let copies = 0;
	const data = new Dataset({
		...{labels: train.labels, pictures: train.pictures, imageSize: side, atOnce: 3},
		decode: async (path, imageSize, hints) => {
			const decoded = await train.decode(path, imageSize, hints);
			if ('pixels' in decoded && !memory.some(({buffer}) => buffer === decoded.pixels.buffer)) ++copies;
			return decoded;
		},
	});
	const order = await shuffled(data.size, seed, 1);
	const allocate = (bytes: number): Uint8Array => {
		const array = new Uint8Array(bytes);
		memory.push(array);
		return array;
	};
	const images: Uint8Array[] = [];
	for await (const batch of data.batches({batchSize: 4, order, allocate})) images.push(batch.images.slice());
	t.is(copies, 0);
	const expected = (await batchesOf(train, order)).map((batch) => batch.images);
	t.deepEqual(images, expected);
});
