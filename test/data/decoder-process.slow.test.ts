// A decoder that dies ends a picture, not the process; and no process is left behind.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {Dataset} from '../../lib/data/dataset.ts';
import {decodePicture, inspectData} from '../../lib/data/decode.ts';
import {readInput} from '../../lib/data/picture-input.ts';
import {DecoderProcess, decoderProcess} from '../../lib/data/decoder-process.ts';
import {PictureError} from '../../lib/data/picture-input.ts';
import {withOrder} from '../helpers/dying-decoder.ts';
import {painted, randomColour, randomNumbers, temporaryFolder, writeFiles} from '../helpers/pictures.ts';

const helper = (name: string): string => fileURLToPath(new URL(`../helpers/${name}`, import.meta.url));
const random = randomNumbers(Math.floor(Math.random() * 2 ** 32));
const noise = () => painted(40, 30, () => randomColour(random));
const imageSize = 16;

/** Twelve pictures, some with an order to the process that decodes them. */
async function dataset(
	t: ExecutionContext,
	orders: Readonly<Record<number, string>>,
	options: {strict?: boolean; module?: string} = {},
): Promise<Dataset> {
	const folder = await temporaryFolder(t);
	const pictures = Array.from({length: 12}, (_, i) => ({path: join(folder, `${i}.jpg`), label: 0}));
	for (const [i, {path}] of pictures.entries()) {
		const bytes = await noise().jpeg().toBuffer();
		await writeFile(path, orders[i] === undefined ? bytes : withOrder(bytes, orders[i]));
	}
	const {strict, module = helper('dying-decoder.ts')} = options;
	return new Dataset({labels: ['one'], pictures, imageSize, strict, decode: new DecoderProcess(module).decode});
}

/** Compares every picture that there is with what this process decodes; their places. */
async function placesRead(t: ExecutionContext, source: Dataset): Promise<number[]> {
	const places: number[] = [];
	for await (const {images, indices} of source.batches({batchSize: 1})) {
		const place = indices[0]!;
		const pixels = await decodePicture(source.pictures[place]!.path, imageSize);
		t.deepEqual(Buffer.from(images), Buffer.from(pixels));
		places.push(place);
	}
	return places;
}

test('a picture that kills the decoder is unreadable; those beside it are not', async (t) => {
	const source = await dataset(t, {3: 'SIGSEGV', 4: 'SIGABRT', 8: 'SIGKILL'});
	t.deepEqual(await placesRead(t, source), [0, 1, 2, 5, 6, 7, 9, 10, 11]);
	t.deepEqual(source.unreadablePlaces, [3, 4, 8]);
	t.deepEqual(
		[...source.unreadable.values()],
		['SIGSEGV', 'SIGABRT', 'SIGKILL'].map((signal) => `the decoder died of it (${signal})`),
	);
	const strict = await dataset(t, {3: 'SIGSEGV'}, {strict: true});
	await t.throwsAsync(strict.check(), {
		code: 'ALEXNET_PICTURE',
		message: /3\.jpg': the decoder died of it \(SIGSEGV\)/,
	});
});

test('a decoder that dies of something else costs no picture', async (t) => {
	const file = join(await temporaryFolder(t), 'died');
	const source = await dataset(t, {2: `SIGKILL once ${file}`, 5: 'survive'});
	t.is((await placesRead(t, source)).length, 12);
	t.is(source.unreadable.size, 0);
	await t.notThrowsAsync(readFile(file));
});

test('a picture that a decoder has survived is decoded in this process from then on', async (t) => {
	const source = await dataset(t, {7: `SIGKILL again ${join(await temporaryFolder(t), 'decoded')}`});
	for (let epoch = 0; epoch < 2; ++epoch) t.is((await placesRead(t, source)).length, 12);
	t.is(source.unreadable.size, 0);
});

test('a decoder that dies at every picture ends the batches, not the process', async (t) => {
	const source = await dataset(t, Object.fromEntries(Array.from({length: 12}, (_, i) => [i, 'SIGSEGV'])));
	await t.throwsAsync(source.check(), {code: 'ALEXNET_PICTURE', message: /^None of the 12 pictures can be read/});
});

// By itself: libvips's messages of what fails at the same time run into each other.
test.serial('what it gives and refuses is what decoding here does', async (t) => {
	const folder = await temporaryFolder(t);
	const jpeg = await noise().jpeg().toBuffer();
	await writeFiles(folder, {
		'whole.jpg': jpeg,
		'suspect.jpg': Buffer.concat([jpeg.subarray(0, -60), jpeg.subarray(-20)]),
		'cut.jpg': jpeg.subarray(0, -60),
		'whole.png': await noise().png().toBuffer(),
		'empty.png': '',
		'other.png': 'no picture',
	});
	const outcome = async (decode: typeof decoderProcess.decode, name: string): Promise<unknown> => {
		try {
			const {pixels, suspect} = await decode(join(folder, name), imageSize);
			return {pixels: [...pixels], suspect};
		} catch (error) {
			if (!(error instanceof PictureError)) throw error;
			const {message, code, reason, advice, cause} = error;
			return {message, code, reason, advice, cause: cause instanceof Error ? cause.message : cause};
		}
	};
	const here: typeof decoderProcess.decode = async (path) => inspectData(await readInput(path), imageSize);
	for (const name of ['whole.jpg', 'suspect.jpg', 'cut.jpg', 'whole.png', 'empty.png', 'other.png', 'none.png'])
		t.deepEqual(await outcome(decoderProcess.decode, name), await outcome(here, name), name);
	t.is(decoderProcess.pending, 0);
});

/** Why no process could be started, each time that a warning says so. */
function refusedStarts(t: ExecutionContext): (string | undefined)[] {
	const reasons: (string | undefined)[] = [];
	const note = ({name, message}: Error): void => {
		if (name === 'AlexNetWarning') reasons.push(/cannot be started \((.*)\)/.exec(message)?.[1]);
	};
	process.on('warning', note);
	t.teardown(() => process.off('warning', note));
	return reasons;
}

test.serial('where no process can be started pictures are decoded here, and that is said once', async (t) => {
	const reasons = refusedStarts(t);
	const module = join(await temporaryFolder(t), 'decoder.mjs');
	await writeFile(module, 'process.exit(1);');
	const source = await dataset(t, {}, {module});
	t.is((await placesRead(t, source)).length, 12);
	t.is((await placesRead(t, source)).length, 12);
	t.deepEqual(reasons, ['exit code 1']);
});

/** A decoder of which the first so many processes are killed before they are ready; the folder has a file for each. */
async function killedEarly(folder: string, signal: string, times: number): Promise<string> {
	const module = join(folder, 'decoder.mjs');
	const lines = [
		`import {readdirSync, writeFileSync} from 'node:fs';`,
		`const starts = ${JSON.stringify(join(folder, 'starts'))};`,
		`writeFileSync(starts + '/' + process.pid, '');`,
		`if (readdirSync(starts).length <= ${times}) process.kill(process.pid, '${signal}');`,
		`await import(${JSON.stringify(new URL('../../lib/data/decoder-child.ts', import.meta.url))});`,
	];
	await mkdir(join(folder, 'starts'));
	await writeFile(module, lines.join('\n'));
	return module;
}

for (const {signal, times, starts, reasons} of [
	{signal: 'SIGINT', times: 1, starts: 2, reasons: []},
	{signal: 'SIGKILL', times: 2, starts: 3, reasons: []},
	{signal: 'SIGTERM', times: 9, starts: 3, reasons: ['SIGTERM']},
]) {
	test.serial(`${signal} before a decoder is ready, ${times} times: ${starts} are started`, async (t) => {
		const folder = await temporaryFolder(t);
		const seen = refusedStarts(t);
		const source = await dataset(t, {}, {module: await killedEarly(folder, signal, times)});
		t.is((await placesRead(t, source)).length, 12);
		t.is((await readdir(join(folder, 'starts'))).length, starts);
		t.deepEqual(seen, reasons);
	});
}

for (const way of ['end', 'exit', 'SIGKILL', 'early']) {
	test(`a process that decodes leaves none behind: ${way}`, async (t) => {
		const picture = join(await temporaryFolder(t), 'one.jpg');
		await writeFile(picture, withOrder(await noise().jpeg().toBuffer(), 'tell'));
		const parent = spawn(process.execPath, ['--import=tsx', helper('decoding-parent.ts'), way, picture]);
		let said = '';
		parent.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
		// The child has the standard error output as well: it closes when both have ended.
		const [code, signal] = (await once(parent, 'close')) as [number | null, string | null];
		const isKilled = way === 'SIGKILL' || way === 'early';
		t.deepEqual({code, signal}, isKilled ? {code: null, signal: 'SIGKILL'} : {code: 0, signal: null});
		// Killed early, the parent has started one that is not ready.
		t.regex(said, way === 'early' ? /^$/ : /^(decoder \d+\n)+$/);
	});
}
