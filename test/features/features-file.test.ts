// Files of features: what they hold, how they come back, and how others than ours are refused.
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {isAlexNetError} from '../../lib/base/errors.ts';
import type {PictureInput} from '../../lib/data/picture-input.ts';
import {collectFeatures} from '../../lib/features/collect.ts';
import {readFeatures, writeFeatures, type Features} from '../../lib/features/features-file.ts';
import {AlexNetError} from '../../lib/index.ts';
import {Random} from '../../lib/selftest/random.ts';
import {mutated} from '../helpers/mutations.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {joined, split, type Header} from '../helpers/safetensors.ts';

const random = new Random(`features ${Date.now()}`);

function someFeatures(folder: string): Features {
	const names = ['a.png', 'a/b.jpg', 'ä "quoted".png', 'new\\line.png', '日本.png'];
	const width = 1 + random.integer(40);
	const values = Float32Array.from({length: names.length * width}, () => random.uniform() - 0.5);
	const origin = {layer: 'fc7', crops: 10, checkpoint: join(folder, 'run/best.safetensors')} as const;
	return {names, values, width, folder: join(folder, 'pictures'), ...origin};
}

test('safetensors come back as they were, also from another place', async (t) => {
	const folder = await temporaryFolder(t);
	const features = someFeatures(folder);
	const path = join(folder, 'features.safetensors');
	await writeFeatures(path, features);
	t.deepEqual(await readFeatures(path), features);
	const {header} = split(await readFile(path));
	t.is(header.__metadata__.folder, 'pictures', 'relative to the file');
	t.deepEqual(header.features, {
		...{dtype: 'F32', shape: [features.names.length, features.width]},
		data_offsets: [0, features.values.byteLength],
	});
});

test('npy is what NumPy reads: header, shape, values; names lie beside it', async (t) => {
	const folder = await temporaryFolder(t);
	const features = someFeatures(folder);
	const path = join(folder, 'features.npy');
	await writeFeatures(path, features);
	const bytes = await readFile(path);
	t.is(bytes.toString('latin1', 0, 8), '\x93NUMPY\x01\x00');
	const start = 10 + bytes.readUInt16LE(8);
	t.is(start % 64, 0);
	const header = bytes.toString('latin1', 10, start);
	t.is(header.trimEnd(), `{'descr': '<f4', 'fortran_order': False, 'shape': (5, ${features.width}), }`);
	t.true(header.endsWith('\n'));
	t.deepEqual(
		new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length)),
		features.values,
	);
	t.is(await readFile(join(folder, 'features.txt'), 'utf8'), features.names.map((name) => `${name}\n`).join(''));
	await t.throwsAsync(writeFeatures(path, {...features, names: ['a\nb.png', 'c', 'd', 'e', 'f']}), {
		code: 'ALEXNET_ARGUMENT',
		message: /one a line, cannot hold "a\\nb\.png"/,
	});
	await t.throwsAsync(writeFeatures(join(folder, 'features.csv'), features), {
		code: 'ALEXNET_ARGUMENT',
		message: /ends in \.safetensors or \.npy/,
	});
	await t.throwsAsync(writeFeatures(join(folder, 'none', 'features.npy'), features), {code: 'ALEXNET_CHECKPOINT'});
});

test('pictures without a vector leave no gap', async (t) => {
	const broken = new AlexNetError('ALEXNET_PICTURE', 'It is broken.');
	const vectors = [Float32Array.of(1, 2), broken, Float32Array.of(3, 4)];
	async function* each(all: readonly (Float32Array | AlexNetError)[]) {
		for (const one of all) {
			await Promise.resolve();
			yield one instanceof AlexNetError ? {error: one} : {features: one};
		}
	}
	const told: unknown[] = [];
	const lost = new AlexNetError('ALEXNET_PICTURE', 'It is lost.');
	const list = {
		names: ['a', 'b', 'lost', 'c'],
		input: async (name: string) => (name === 'lost' ? Promise.reject(lost) : Promise.resolve(name)),
	};
	const asked: PictureInput[] = [];
	const infer = async function* (pictures: AsyncIterable<PictureInput>) {
		for await (const picture of pictures) asked.push(picture);
		yield* each(vectors);
	};
	const collected = await collectFeatures(list, infer, (error) => told.push(error));
	t.deepEqual(asked, ['a', 'b', 'c']);
	t.deepEqual(collected, {names: ['a', 'c'], values: Float32Array.of(1, 2, 3, 4), width: 2});
	t.deepEqual(told, [lost, undefined, broken, undefined]);
	const one = {names: ['a'], input: async (name: string) => Promise.resolve(name)};
	const none = collectFeatures(
		one,
		() => each([broken]),
		() => undefined,
	);
	await t.throwsAsync(none, {code: 'ALEXNET_PICTURE', message: /None of the 1 pictures can be read/});
	const many = Array.from({length: 3}, () => '');
	many.length = 2 ** 31;
	const tooMany = collectFeatures(
		{...one, names: many},
		() => each([new Float32Array(2 ** 10)]),
		() => undefined,
	);
	await t.throwsAsync(tooMany, {code: 'ALEXNET_MEMORY', message: /vectors of 1024 values are too many/});
});

async function changed(t: ExecutionContext, change: (header: Header) => void): Promise<string> {
	const folder = await temporaryFolder(t);
	const path = join(folder, 'changed.safetensors');
	await writeFeatures(path, someFeatures(folder));
	const {header, data} = split(await readFile(path));
	change(header);
	await writeFile(path, joined(JSON.stringify(header), data));
	return path;
}

const damages: readonly (readonly [string, (header: Header) => void, RegExp])[] = [
	[
		'another format',
		({__metadata__}) => (__metadata__.format = 'alexnet-cuda'),
		/but not of features\. Write one with/,
	],
	['no layer', ({__metadata__}) => delete __metadata__.layer, /is damaged: layer must be given/],
	['crops of 5', ({__metadata__}) => (__metadata__.crops = '5'), /is damaged: crops must be 1 or 10, got 5/],
	['names cut short', ({__metadata__}) => (__metadata__.names = '["a'), /is damaged: .*JSON/],
	[
		'a name less',
		({__metadata__}) => (__metadata__.names = '["a"]'),
		/expected features as F32 \[1, \d+\], found F32 \[5, /,
	],
	['no tensor of that name', (header) => ((header.other = header.features!), delete header.features), /found nothing/],
];

for (const [what, change, message] of damages) {
	test(`a file with ${what} is refused`, async (t) => {
		await t.throwsAsync(readFeatures(await changed(t, change)), {code: 'ALEXNET_CHECKPOINT', message});
	});
}

test('of files that went wrong at random each is read or refused with a code', async (t) => {
	const folder = await temporaryFolder(t);
	const path = join(folder, 'mutated.safetensors');
	await writeFeatures(path, someFeatures(folder));
	const whole = await readFile(path);
	let refused = 0;
	for (let number = 0; number < 200; ++number) {
		const {bytes, what} = mutated(whole, random);
		await writeFile(path, bytes);
		try {
			const {names, values, width} = await readFeatures(path);
			t.is(values.length, names.length * width, what);
		} catch (error) {
			++refused;
			t.true(isAlexNetError(error, 'ALEXNET_CHECKPOINT'), `${what}: ${String(error)}`);
		}
	}
	t.true(refused > 80, `${refused} refused`);
});
