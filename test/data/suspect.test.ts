// Damage that a decoder steps over is told; and a run looks at its classes and held-out pictures before it learns.
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {UnreadableNotes} from '../../cli/unreadable.ts';
import {Output} from '../../cli/output.ts';
import {Dataset} from '../../lib/data/dataset.ts';
import {decodePicture, inspectData} from '../../lib/data/decode.ts';
import {evaluate} from '../../lib/training/evaluate.ts';
import {train} from '../../lib/training/trainer.ts';
import {tinyLabels, tinyModel, tinySource} from '../helpers/networks.ts';
import {painted, plainPicture, randomColour, randomNumbers, temporaryFolder, writeFiles} from '../helpers/pictures.ts';

const seed = Math.floor(Math.random() * 2 ** 32);

/** A JPEG of noise whose coded data lacks a stretch in the middle: what follows it is decoded as something else. */
async function damagedJpeg(): Promise<Buffer> {
	const random = randomNumbers(seed);
	const whole = await painted(256, 256, () => randomColour(random))
		.jpeg()
		.toBuffer();
	const [from, to] = [whole.length * 0.5, whole.length * 0.6];
	return Buffer.concat([whole.subarray(0, from), whole.subarray(to)]);
}

async function folderOf(
	t: ExecutionContext,
	files: Readonly<Record<string, Uint8Array | string>>,
	strict = false,
	imageSize = 32,
) {
	const folder = await temporaryFolder(t);
	await writeFiles(folder, files);
	const pictures = Object.keys(files).map((name, i) => ({path: join(folder, name), label: i % tinyLabels.length}));
	return new Dataset({labels: tinyLabels, pictures, imageSize, strict});
}

// Serial: libvips has one buffer of messages for a process, and decodings that fail at once take each other's.
test.serial('a damaged JPEG is used, named as suspect and told once; a strict dataset refuses it', async (t) => {
	const files = {'good.png': await plainPicture([1, 2, 3], 32), 'bad.jpg': await damagedJpeg()};
	const dataset = await folderOf(t, files, false, 256);
	t.is((await decodePicture(files['bad.jpg'])).length, 256 * 256 * 3);
	await dataset.check();
	t.deepEqual([...dataset.unreadable], []);
	const path = dataset.pictures[1]!.path;
	t.deepEqual([...dataset.suspect.keys()], [path]);
	t.regex(dataset.suspect.get(path)!, /it is damaged \(VipsJpeg: .*premature end of data segment/);
	const said: string[] = [];
	const output = new Output();
	output.note = (text) => said.push(text);
	const notes = new UnreadableNotes(output, [dataset]);
	notes.tell();
	notes.tell();
	t.is(said.length, 1);
	t.regex(
		said[0]!,
		/^1 picture may show something else, being damaged, and is used \(not with --strict\):\n {2}.*bad\.jpg: /,
	);
	const refusal = {code: 'ALEXNET_PICTURE', message: /bad\.jpg': it is damaged/};
	await t.throwsAsync((await folderOf(t, files, true, 256)).check(), refusal);
});

test.serial(
	'a sequential JPEG whose data is longer or shorter than its rows is suspect, a whole one is not',
	async (t) => {
		const random = randomNumbers(seed);
		const noticed = {shorter: 0, longer: 0};
		for (const [width, height] of [
			[256, 256],
			[50, 37],
			[9, 16],
			[300, 8],
		] as const) {
			const noise = painted(width, height, () => randomColour(random));
			for (const picture of [
				noise.clone().jpeg(),
				noise.clone().jpeg({chromaSubsampling: '4:4:4', optimiseCoding: false}),
				noise.clone().greyscale().jpeg(),
			]) {
				const whole = await picture.toBuffer();
				const from = whole.lastIndexOf('\xff\xda', undefined, 'latin1') + 14;
				const [start, end] = [0.8, 0.95].map((share) => Math.round(from + share * (whole.length - from)));
				const shorter = Buffer.concat([whole.subarray(0, start), whole.subarray(end)]);
				const longer = Buffer.concat([whole.subarray(0, end), whole.subarray(start)]);
				const padded = Buffer.concat([whole.subarray(0, -2), Buffer.from([1, 2]), whole.subarray(-2), whole]);
				const suspicion = async (bytes: Buffer) => (await inspectData({name: undefined, bytes}, 32)).suspect;
				const what = `seed ${seed}, ${width} x ${height}`;
				t.is(await suspicion(whole), undefined, what);
				t.is(await suspicion(padded), undefined, what);
				for (const [name, bytes] of Object.entries({shorter, longer}) as [keyof typeof noticed, Buffer][]) {
					const found = await suspicion(bytes);
					if (found === undefined) continue;
					t.regex(found, /^it is damaged/, what);
					++noticed[name];
				}
			}
		}
		// Damaged data of a few units may end where a picture's does: of 400 draws 24 had a longer, 23 a shorter one that did.
		for (const [name, count] of Object.entries(noticed)) t.true(count >= 10, `${count} of 12 ${name}, seed ${seed}`);
	},
);

test.serial('held-out pictures that cannot be read end a run before its first step', async (t) => {
	const good = await plainPicture([9, 9, 9], 32);
	const lenient = await folderOf(t, {'a.png': 'no picture', 'b.png': 'nor this'});
	const strict = await folderOf(t, {'a.png': good, 'b.png': 'no picture'}, true);
	for (const validation of [lenient, strict]) {
		await using model = await tinyModel();
		const reports = train(model, tinySource(32, `${seed}`), {validation});
		await t.throwsAsync(reports.next(), {code: 'ALEXNET_PICTURE'});
		t.is(model.step, 0);
	}
	await using model = await tinyModel();
	const files = {'a.png': good, 'b.png': 'no picture', 'c.png': good, 'd.png': good, 'e.png': good};
	const validation = await folderOf(t, files);
	const progress: unknown[] = [];
	const onProgress = (...report: unknown[]): void => void progress.push(report);
	for await (const report of train(model, tinySource(32, `${seed}`), {validation, onProgress})) {
		if (report.type === 'step') break;
	}
	t.is(validation.unreadable.size, 1);
	t.deepEqual(progress, [['validation', 1, 5], ...[3, 4, 5].map((done) => ['validation', done, 5])]);
});

test.serial('a class of which no picture can be read: neither learned, nor held out, nor evaluated', async (t) => {
	const good = await plainPicture([9, 9, 9], 32);
	const names = Array.from({length: 15}, (_, i) => [`${i}.png`, i % tinyLabels.length === 1 ? 'a page' : good]);
	const bad = async () => folderOf(t, Object.fromEntries(names) as Record<string, Uint8Array | string>);
	const refusal = {code: 'ALEXNET_FOLDER', message: /^None of the 5 pictures of class 'green' can be read; the first/};
	await using model = await tinyModel({batchSize: 4});
	t.true(model.hasStatistics, 'which a net has that begins with the weights of another');
	await t.throwsAsync(train(model, await bad()).next(), refusal);
	await t.throwsAsync(train(model, tinySource(32, `${seed}`), {validation: await bad()}).next(), refusal);
	t.is(model.step, 0);
	await t.throwsAsync(evaluate(model, await bad()), refusal);
	const pictures = (await bad()).pictures.filter(({label}) => label !== 1);
	const {classes} = await evaluate(model, new Dataset({labels: tinyLabels, pictures, imageSize: 32}));
	t.is(classes[1]?.pictures, 0, 'a class without pictures is none that cannot be read');
});
