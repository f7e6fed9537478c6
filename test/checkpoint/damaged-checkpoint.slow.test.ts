// Checkpoints are checked whatever is in them: each fault is refused by name, before memory is taken.
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import type {Architecture} from '../../lib/net/architecture.ts';
import type {LayerSpec} from '../../lib/net/layers/registry.ts';
import {loadCheckpoint, saveCheckpoint} from '../../lib/checkpoint/checkpoint.ts';
import {Model} from '../../lib/net/model.ts';
import {newProgress} from '../../lib/training/training-state.ts';
import {tinyModel, tinyNet} from '../helpers/networks.ts';
import {joined, split, type Header} from '../helpers/safetensors.ts';

type Entry = Record<string, unknown> & {data_offsets: [number, number]};
type Edit = (header: Header, tensor: (name: string) => Entry) => void;

let folder = '';
let whole = Buffer.alloc(0);
test.before(async () => {
	folder = await mkdtemp(join(tmpdir(), 'alexnet-damaged-'));
	const path = join(folder, 'whole.safetensors');
	await using model = await tinyModel();
	await saveCheckpoint(model, path);
	whole = await readFile(path);
});
test.after.always(async () => {
	await rm(folder, {recursive: true, force: true});
});

async function written(bytes: Buffer): Promise<string> {
	const path = join(await mkdtemp(join(folder, 'a ')), 'damaged.safetensors');
	await writeFile(path, bytes);
	return path;
}

/** Refused, with this message, and without a model having been made. */
function testRefusedBytes(title: string, damage: (bytes: Buffer) => Buffer, message: RegExp): void {
	test(`${title} is refused`, async (t) => {
		const path = await written(damage(whole));
		const make = (): Model => {
			throw new Error('A model was made.');
		};
		const error = await t.throwsAsync(loadCheckpoint(path, {}, make), {code: 'ALEXNET_CHECKPOINT'});
		t.true(error.message.includes(path), error.message);
		t.regex(error.message, message);
	});
}

function testRefused(title: string, edit: Edit, message: RegExp): void {
	const damage = (bytes: Buffer): Buffer => {
		const {header, data} = split(bytes);
		edit(header, (name) => header[name] as unknown as Entry);
		return joined(JSON.stringify(header), data);
	};
	testRefusedBytes(title, damage, message);
}

const header =
	(edit: (tensor: (name: string) => Entry) => void): Edit =>
	(_, tensor) =>
		edit(tensor);

const metadata =
	(key: string, value: unknown): Edit =>
	({__metadata__}) =>
		(__metadata__[key] = JSON.stringify(value));

const within =
	(key: string, edit: (value: never) => void): Edit =>
	({__metadata__}) => {
		const value = JSON.parse(__metadata__[key]!) as never;
		edit(value);
		__metadata__[key] = JSON.stringify(value);
	};

const net = (edit: (architecture: {-readonly [Key in keyof Architecture]: unknown}) => void): Edit =>
	within('architecture', edit);

const layer = (name: string, change: Record<string, unknown>): Edit =>
	net((architecture) => {
		const layers = architecture.layers as LayerSpec[];
		architecture.layers = layers.map((spec) => (spec.name === name ? {...spec, ...change} : spec));
	});

const manyFields = (count: number, name: string): Record<string, number> =>
	Object.fromEntries(Array.from({length: count}, (_, index) => [`${name}${index}`, 0]));

testRefused(
	'a net with a frozen layer that is not there',
	metadata('frozen', ['conv9']),
	/is damaged: The net has no layer 'conv9'/,
);
testRefused(
	'a net of frozen layers alone',
	metadata('frozen', ['conv1', 'conv2', 'fc6', 'fc8']),
	/is damaged: All layers with weights are frozen/,
);
testRefused(
	'frozen layers that are no list',
	metadata('frozen', 'conv1'),
	/frozen must be an array of names, got 'conv1'/,
);
testRefused(
	'a tensor that begins before the data',
	header((tensor) => (tensor('conv1.weight').data_offsets = [-8, 9400])),
	/conv1\.weight\.data_offsets\[0\] must be an integer of at least 0, got -8/,
);
testRefused(
	'a tensor with two that overlap',
	header((tensor) => ([tensor('conv2.bias').data_offsets] = [tensor('conv1.bias').data_offsets])),
	/bias begins at byte \d+, where the tensors before it end at \d+/,
);
testRefused(
	'a tensor whose end comes before its begin',
	header((tensor) => tensor('conv1.weight').data_offsets.reverse()),
	/conv1\.weight must be a tensor whose bytes are four times its elements/,
);
testRefused(
	'a tensor whose offsets are text',
	header((tensor) => (tensor('conv1.weight').data_offsets = ['0', '9408'] as never)),
	/conv1\.weight\.data_offsets\[0\] must be an integer.*got '0'/,
);
testRefused(
	'a tensor whose shape is a number',
	header((tensor) => (tensor('conv1.weight').shape = 2352)),
	/conv1\.weight\.shape must be an array, got 2352/,
);
testRefused(
	'a tensor whose shape is too large to be counted',
	header((tensor) => (tensor('conv1.weight').shape = [2 ** 50, 2 ** 50, 1, 1])),
	/conv1\.weight must be a tensor whose bytes are four times its elements/,
);
testRefused(
	'a tensor of five dimensions',
	header((tensor) => (tensor('conv1.weight').shape = [16, 3, 7, 7, 1])),
	/conv1\.weight\.shape must be an array of at most 4/,
);
testRefused(
	'a tensor of halves',
	header((tensor) => (tensor('mean').dtype = 'F16')),
	/mean\.dtype must be one of F32, got 'F16'/,
);
testRefused('a tensor that is null', (all) => (all.mean = null as never), /mean must be an object, got null/);
testRefused(
	'a missing tensor',
	(all) => {
		const last = all['pca.vectors'] as unknown as Entry;
		all.other = last as never;
		delete all['pca.vectors'];
	},
	/expected pca\.vectors as F32 \[3, 3\], found nothing/,
);
testRefusedBytes(
	'a file with more after its tensors',
	(bytes) => Buffer.concat([bytes, Buffer.alloc(4)]),
	/something was added/,
);
testRefusedBytes('a header of nested brackets', (bytes) => joined('['.repeat(2 ** 20), bytes), /nested deeper/);
testRefusedBytes('a header that is a list', (bytes) => joined('[[1]]', bytes), /0\.dtype must be given/);
testRefusedBytes('a header that is null', (bytes) => joined('null', bytes), /must be an object/);
testRefusedBytes('a header of other characters', (bytes) => joined(Buffer.from([0x7b, 0xff, 0x7d]), bytes), /utf-8/i);
testRefusedBytes(
	'a header of ten thousand tensors',
	(bytes) => joined(JSON.stringify(manyFields(10_000, 'n')), bytes),
	/at most 1000 tensors/,
);
for (const [title, header] of [
	['lists', `[${'[],'.repeat(2 ** 20)}0]`],
	['zeros', `[${'0,'.repeat(2 ** 20)}0]`],
	['metadata fields', `{"__metadata__":{${'"a":"",'.repeat(2 ** 20)}"b":""}}`],
] as const) {
	testRefusedBytes(
		`a header of a million ${title}`,
		(bytes) => joined(header, bytes),
		/JSON has more than 524288 values/,
	);
}
testRefusedBytes(
	'a header of a hundred thousand names',
	(bytes) => joined(JSON.stringify([manyFields(100_000, 'n')]), bytes),
	/JSON has fields of more than 16384 names/,
);
testRefused(
	'metadata with too many names in all of it together',
	({__metadata__}) => {
		for (const name of ['a', 'b', 'c', 'd']) __metadata__[name] = JSON.stringify(manyFields(5000, name));
	},
	/JSON has fields of more than 16384 names/,
);
testRefused(
	'metadata with too many values in all of it together',
	({__metadata__}) => {
		for (const name of ['a', 'b', 'c']) __metadata__[name] = JSON.stringify(Array.from({length: 200_000}, () => 0));
	},
	/JSON has more than 524288 values/,
);
testRefused(
	'a tensor of a name of megabytes',
	(all) => (all['n'.repeat(2 ** 22)] = 0 as never),
	/^.{0,300}: n{200}… must be an object, got 0.{0,10}$/s,
);
testRefused(
	'a tensor of a name of megabytes in another place',
	(all, tensor) => (all['n'.repeat(2 ** 22)] = {...tensor('mean')} as never),
	/: (mean|n{200}…) begins at byte \d+, where the tensors before it end at \d+\.$/,
);
testRefused('metadata that is text', (all) => (all.__metadata__ = 'text' as never), /__metadata__ must be an object/);
testRefused(
	'metadata of numbers',
	({__metadata__}) => (__metadata__.step = 3 as never),
	/step must be a string, got 3/,
);
testRefused(
	'a format version that is no number',
	metadata('formatVersion', 'first'),
	/formatVersion must be an integer/,
);
testRefused(
	'a format version of megabytes',
	({__metadata__}) => (__metadata__.formatVersion = '9'.repeat(2 ** 22)),
	/has format Infinity; this version reads up to 1/,
);

testRefused('an architecture that is null', metadata('architecture', null), /architecture must be an object, got null/);
testRefused(
	'no layers',
	net((architecture) => (architecture.layers = [])),
	/layers must be layers that read pictures/,
);
testRefused(
	'a hundred thousand layers',
	net((architecture) => (architecture.layers = Array.from({length: 100_000}, () => 0))),
	/architecture\.layers must be an array of at most 100/,
);
testRefused(
	'a layer of another kind',
	layer('fc6', {type: '__proto__'}),
	/layers\[4\]\.type must be one of conv2d, lrn/,
);
testRefused('a layer without kernels', layer('conv1', {kernels: 0}), /layers\[0\]\.kernels must be .* 1, got 0/);
testRefused(
	'a net that is larger than its tensors',
	layer('conv2', {kernels: 2 ** 30}),
	/expected conv2\.weight as F32 \[1073741824, 8, 3, 3\], found F32 \[16, 8, 3, 3\]/,
);
testRefused('a net that no memory could hold', layer('fc6', {outputs: 2 ** 50}), /makes no net: Each dimension/);
testRefused('a stride of text', layer('conv1', {stride: '2'}), /layers\[0\]\.stride must be an integer/);
testRefused('pads that are larger than kernels', layer('conv1', {pads: [0, 0, 0, 2 ** 30]}), /pads are smaller/);
testRefused('three pads', layer('conv1', {pads: [0, 0, 0]}), /layers\[0\]\.pads must be four numbers/);
testRefused(
	'a start that is none',
	layer('fc6', {initial: {bias: 1}}),
	/initial must be an object of deviation or gain/,
);
testRefused('a normalization of even size', layer('lrn1', {size: 4}), /normalization of odd size/);
testRefused('dropout of everything', layer('dropout6', {rate: 1}), /rate must be a number of at least 0 and below 1/);
testRefused('two layers of one name', layer('lrn1', {name: 'conv1'}), /a name each/);
testRefused(
	'a name that is a path',
	layer('lrn1', {name: '../../etc'}),
	/layers\[1\]\.name must be a name of at most 64 letters/,
);
testRefused(
	'a convolution after a linear layer',
	layer('dropout6', {type: 'lrn', size: 5, alpha: 1, beta: 1, k: 1}),
	/layers that read pictures/,
);
testRefused('a window larger than its input', layer('pool1', {size: 99}), /makes no net: pool1 has nothing to read/);
testRefused(
	'more columns than two',
	net((architecture) => (architecture.columns = 3)),
	/columns must be one of 1, 2/,
);
testRefused(
	'a crop larger than its pictures',
	net((architecture) => (architecture.crop = 33)),
	/crop is no larger/,
);
testRefused(
	'larger pictures than the mean image',
	net((architecture) => (architecture.imageSize = 2 ** 30)),
	/expected mean/,
);

testRefused('a label fewer', metadata('labels', ['a', 'b']), /an output for each label/);
testRefused('labels that are the same', metadata('labels', ['a', 'b', 'a']), /labels must be names that differ/);
testRefused(
	'labels of megabytes that are the same',
	metadata('labels', ['n'.repeat(2 ** 22), 'b', 'n'.repeat(2 ** 22)]),
	/labels must be names that differ \('n{200}…' is there twice\)/,
);
testRefused(
	'labels that seem to be of a kind and a length',
	metadata('labels', {constructor: {name: {toString: 1}}, length: {toString: 1}}),
	/labels must be an array of names, got an Object\.$/,
);
testRefused(
	'more labels than there can be',
	metadata(
		'labels',
		Array.from({length: 300_000}, (_, index) => `${index}`),
	),
	/labels must be at most 262144 names, got an Array of 300000/,
);
testRefused('labels that are numbers', metadata('labels', [1, 2, 3]), /labels\[0\] must be a string/);
testRefused('a step before the first', metadata('step', -1), /step must be an integer of at least 0, got -1/);
testRefused('a seed that is no integer', metadata('seed', 0.5), /seed must be an integer/);
testRefused('a batch of no pictures', metadata('batchSize', 0), /batchSize must be an integer of at least 1/);
testRefused('another scale of colours', metadata('pcaScale', 'none'), /pcaScale must be one of deviation, eigenvalue/);
testRefused(
	'a momentum of one',
	within('sgd', (sgd: {momentum: number}) => (sgd.momentum = 1)),
	/sgd\.momentum must be/,
);
testRefused(
	'a missing rate',
	within('sgd', (sgd: {learningRate?: number}) => delete sgd.learningRate),
	/sgd\.learningRate must be given/,
);
testRefused('progress that is empty', metadata('progress', {}), /progress\.epochs must be given/);
const sized = (sizes: unknown): unknown => [{pictures: 3, digest: 'abc', sizes}];
testRefused(
	'progress with sizes that are no digest',
	metadata('progress', {
		...newProgress({train: [], validation: []}, {}, []),
		pictures: {train: sized('def'), validation: sized(7)},
	}),
	/progress\.pictures\.validation\[0\]\.sizes must be a string/,
);
testRefused(
	'progress with unread pictures in no order',
	metadata('progress', {
		...newProgress({train: [], validation: []}, {}, []),
		pictures: {train: [], validation: [], unread: {train: [0, 2], validation: [2, 0]}},
	}),
	/progress\.pictures\.unread\.validation must be places of pictures, ascending/,
);
testRefused(
	'statistics that are there perhaps',
	metadata('hasStatistics', 'yes'),
	/hasStatistics must be true or false/,
);

test('a checkpoint of as many classes as picture folders have been known to have is loaded', async (t) => {
	const labels = Array.from({length: 21_841}, (_, index) => `n${index} of some kind`);
	const path = join(await mkdtemp(join(folder, 'a ')), 'many.safetensors');
	const contents = labels.map((_, pictures) => ({pictures, digest: '0123456789abcdef', sizes: '0123456789abcdef'}));
	const {layers, ...rest} = tinyNet();
	const last = layers.at(-1)!;
	const architecture = {...rest, layers: [...layers.slice(0, -1), {...last, outputs: labels.length} as LayerSpec]};
	await using model = await tinyModel({architecture, labels});
	model.progress = newProgress({train: contents, validation: contents}, {}, [1, 2, 3]);
	await saveCheckpoint(model, path);
	await using loaded = await loadCheckpoint(path, {}, (options) => new Model(options));
	t.deepEqual(loaded.labels, labels);
	t.deepEqual(loaded.progress, model.progress);
});

test('a checkpoint that could not be read again is not written', async (t) => {
	const path = await written(whole);
	await using model = await tinyModel();
	const places = Array.from({length: 600_000}, (_, place) => place);
	model.progress = newProgress({train: [], validation: []}, {}, places);
	const message = /damaged\.safetensors is not written, .*JSON has more than 524288 values\.$/;
	await t.throwsAsync(saveCheckpoint(model, path), {code: 'ALEXNET_CHECKPOINT', message});
	t.deepEqual(await readFile(path), whole);
});

test('weights and means that are no finite numbers are refused by name', async (t) => {
	const {header: all} = split(whole);
	const start = 8 + Number(whole.readBigUInt64LE());
	for (const [name, value] of [
		['conv1.weight', NaN],
		['fc8.bias', Infinity],
		['momentum.fc6.weight', -Infinity],
		['mean', NaN],
	] as const) {
		const damaged = Buffer.from(whole);
		const {
			data_offsets: [, end],
		} = all[name] as unknown as Entry;
		damaged.writeFloatLE(value, start + end - 4);
		const loading = loadCheckpoint(await written(damaged), {}, (options) => new Model(options));
		const message = new RegExp(`damaged\\.safetensors is damaged: ${name.replace('.', '\\.')} has values`);
		await t.throwsAsync(loading, {code: 'ALEXNET_CHECKPOINT', message});
	}
});

test('keys that objects have anyway do no harm', async (t) => {
	const {header: all, data} = split(whole);
	all.__metadata__.constructor = '{"prototype":{"polluted":1}}' as never;
	const text = JSON.stringify(all).replace('"__metadata__":{', '"__metadata__":{"__proto__":"{\\"polluted\\":1}",');
	await using model = await loadCheckpoint(await written(joined(text, data)), {}, (options) => new Model(options));
	t.is((model as unknown as {polluted?: unknown}).polluted, undefined);
	t.is(({} as {polluted?: unknown}).polluted, undefined);
});
