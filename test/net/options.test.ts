// Every public function as somebody may misuse it who has not read its types: refused at the call, in words, and nothing
// is taken. What a value must be is in test/base/check.test.ts.
import {mkdtempSync} from 'node:fs';
import {rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {refusalOf, type Check} from '../../lib/base/check.ts';
import {native} from '../../lib/device/native.ts';
import {
	AlexNet,
	alexnet,
	checkFolder,
	Dataset,
	drawNeighbours,
	drawPredictions,
	examplePictures,
	ImageFolder,
	listDevices,
	preparePictures,
	runExperiment,
	RunFolder,
	trainRun,
	writeFilters,
} from '../../lib/index.ts';
import {buildMpiModule} from '../../lib/mpi.ts';
import {openDevice} from '../../lib/ops.ts';
import {tinyNet} from '../../lib/selftest/networks.ts';
import {tinyLabels, tinyPictures, tinySource, tinyStatistics} from '../helpers/networks.ts';
import {readOptionTables} from '../helpers/option-docs.ts';

type Values = readonly unknown[];
type Call = (...given: unknown[]) => unknown;

interface Misused {
	/** What describes its options. */
	readonly table: string;
	/** Takes what is given for all arguments, or for the options where those are the last. */
	readonly call: Call;
	/** Options by name, with values besides `anything` that they cannot have. */
	readonly options?: Readonly<Record<string, Values>>;
	/** Options that work. */
	readonly good?: object;
	/** What the function is called in messages. */
	readonly name: string;
}

const tables = new Map((await readOptionTables()).map(({name, documented}) => [name, documented] as const));

const folder = mkdtempSync(join(tmpdir(), 'alexnet-'));
test.after.always(async () => rm(folder, {recursive: true, force: true}));

const model = AlexNet.uninitialized({architecture: tinyNet(), labels: tinyLabels, batchSize: 4});
test.before(async () => {
	await model.initialize();
	model.statistics = tinyStatistics;
});
test.after.always(async () => model.dispose());

/** Devices opened since the model's. */
let opened = 0;
native.Device = new Proxy(native.Device, {
	construct(device, given) {
		++opened;
		return Reflect.construct(device, given) as object;
	},
});

const source = tinySource(8, 'options');
const batch = tinyPictures(4, 'options');
const runFolder = Object.create(RunFolder.prototype) as RunFolder;
const dataset = new Dataset({labels: ['one'], pictures: [{path: 'one.png', label: 0}]});

/** Numbers as they come from forms and files. */
const notCounts: Values = ['1', 1n, NaN, Infinity, -1, 0.5, null, [1], {}];
const notPositive: Values = [0, -0, ...notCounts];
const notRates: Values = ['0.1', 1n, NaN, Infinity, -0.1, null, [0.1]];
const notShares: Values = [1, ...notRates];
const notFlags: Values = ['true', 0, null, []];
const notSignals: Values = [null, true, {aborted: false}, new AbortController()];
const notFunctions: Values = [null, true, 'log', {}];
const notChoices: Values = ['', 'Paper', 1, null, true, ['paper']];
const notCrops: Values = [0, 5, '10', 10n, null, [1]];
const notSources: Values = [null, 0.1, true, 'folder', {train: dataset, validation: dataset}];
const notLabels: Values = ['ab', [], [1, 2], ['a', ''], ['a', 'b', 'a'], [null, 'a'], {a: 0}, null];

const run = {devices: [0, null, {}, [0], [null]], precision: notChoices, batchSize: notPositive};
const rates = {
	learningRate: notRates,
	momentum: notShares,
	weightDecay: notRates,
	biasLearningRateScale: notRates,
	biasWeightDecay: notRates,
};
const net = {
	preset: notChoices,
	init: notChoices,
	activation: notChoices,
	lrn: notFlags,
	pooling: ['3', 3, null],
	dropout: notShares,
	columns: [0, 3, '2', null],
};

const training = {
	epochs: notPositive,
	batchSize: notPositive,
	validation: notSources,
	crops: notCrops,
	augment: notChoices,
	divideAt: [30, '30', [0], ['30'], [1.5], null],
	patience: notPositive,
	learningRateScaling: notChoices,
	referenceBatchSize: notPositive,
	warmUpEpochs: notRates,
	signal: notSignals,
	onProgress: notFunctions,
};

/** As if there were no types. */
const untyped = (owner: object, name: string): Call => {
	const called = (owner as Record<string, Call>)[name];
	return (...given) => called?.apply(owner, given);
};

const functions: readonly Misused[] = [
	{
		name: 'AlexNet.create',
		table: 'alexNetOptions',
		call: untyped(AlexNet, 'create'),
		good: {classes: 2},
		options: {
			...{...run, ...rates, ...net},
			seed: notCounts,
			pcaScale: notChoices,
			labels: [...notLabels, ['one']],
			classes: [1, 1e9, ...notPositive],
		},
	},
	{
		name: 'AlexNet',
		table: 'modelOptions',
		call: untyped(AlexNet, 'uninitialized'),
		good: {architecture: tinyNet(), labels: tinyLabels},
		options: {
			...{...run, ...rates},
			architecture: [null, undefined, 'paper', {}],
			labels: notLabels,
			seed: notCounts,
			pcaScale: notChoices,
		},
	},
	{
		name: 'AlexNet.load',
		table: 'runOptions',
		call: (given) => untyped(AlexNet, 'load')(join(folder, 'none.safetensors'), given),
		options: run,
	},
	{
		name: 'train',
		table: 'trainOptions',
		call: (given) => untyped(model, 'train')(source, given),
		options: training,
	},
	{
		name: 'evaluate',
		table: 'evaluateOptions',
		call: (given) => untyped(model, 'evaluate')(source, given),
		options: {crops: notCrops, signal: notSignals, onProgress: notFunctions},
	},
	{
		name: 'model.sgd',
		table: 'sgdOptions',
		call: (given) => Reflect.set(model, 'sgd', given),
		good: {...model.sgd},
		options: Object.fromEntries(Object.entries(rates).map(([name, wrong]) => [name, [...wrong, undefined]])),
	},
	{
		name: 'trainStep',
		table: 'trainStepOptions',
		call: untyped(model, 'trainStep'),
		good: batch,
		options: {
			images: [undefined, null, [], 'x', new Float32Array(batch.images.length), new Uint8ClampedArray(3)],
			labels: [undefined, null, 3, 'abcd', new Set([1])],
			augment: notChoices,
			update: notFlags,
			indices: [null, 4, ['0', '1', '2', '3'], [0, 1, 2, -1], BigInt64Array.of(0n, 1n, 2n, 3n)],
			epoch: notCounts,
		},
	},
	{
		name: 'predict',
		table: 'predictOptions',
		call: (given) => untyped(model, 'predict')(batch.images, given),
		options: {crops: notCrops},
	},
	{
		name: 'classify',
		table: 'classifyOptions',
		call: (given) => untyped(model, 'classify')(join(folder, 'none.png'), given),
		options: {top: notPositive, crops: notCrops},
	},
	{
		name: 'ImageFolder.open',
		table: 'imageFolderOptions',
		call: (given) => untyped(ImageFolder, 'open')(join(folder, 'none'), given),
		options: {
			validationFraction: notShares,
			seed: notCounts,
			strict: notFlags,
			imageSize: notPositive,
			cacheBytes: notRates,
		},
	},
	{
		name: 'Dataset',
		table: 'datasetOptions',
		call: (given) => Reflect.construct(Dataset, [given]) as unknown,
		good: {labels: ['one'], pictures: []},
		options: {
			labels: [undefined, 'ab', [1], ['a', 'a'], null],
			pictures: [undefined, null, 'a.png', ['a.png'], [null], [{label: 0}]],
			imageSize: notPositive,
			strict: notFlags,
			cacheBudget: [null, 100, {}, {bytes: '100'}],
			decode: notFunctions,
		},
	},
	{
		name: 'batches',
		table: 'batchOptions',
		call: untyped(dataset, 'batches'),
		good: {batchSize: 1},
		options: {
			batchSize: [undefined, ...notPositive],
			order: [null, 1, '0', ['0'], [0n], [NaN], [0.5], [1], new Set([0])],
			dropLast: notFlags,
			ahead: notCounts,
			signal: notSignals,
		},
	},
	{
		name: 'trainRun',
		table: 'trainRunOptions',
		call: untyped({trainRun}, 'trainRun'),
		good: {run: runFolder, model, source},
		options: {
			...training,
			run: [undefined, null, folder, {}],
			model: [undefined, null, {}, AlexNet],
			source: [undefined, ...notSources],
			saveEvery: [null, 10, {steps: 0}, {minutes: '10'}],
			onReport: notFunctions,
			onStop: notFunctions,
		},
	},
	{
		name: 'statistics',
		table: 'statisticsOptions',
		call: untyped(dataset, 'statistics'),
		options: {signal: notSignals, onProgress: notFunctions},
	},
	{name: 'check', table: 'statisticsOptions', call: untyped(dataset, 'check')},
	{
		name: 'model.statistics',
		table: 'statisticsFields',
		call: (given) => Reflect.set(model, 'statistics', given),
		good: tinyStatistics,
	},
	{
		name: 'alexnet',
		table: 'architectureOptions',
		call: (given) => (alexnet as Call)(given),
		good: {classes: 2},
		options: {...net, classes: [1, ...notPositive]},
	},
	{name: 'listDevices', table: 'listOptions', call: (given) => (listDevices as Call)(given)},
	{
		name: 'openDevice',
		table: 'deviceOptions',
		call: (given) => (openDevice as Call)('cpu', given),
		options: {threads: notCounts},
	},
	{
		name: 'AlexNet.from',
		table: 'fineTuneOptions',
		call: (given) => untyped(AlexNet, 'from')(join(folder, 'none.safetensors'), given),
		good: {classes: 2},
		options: {...run, ...rates},
	},
	{
		name: 'AlexNet.import',
		table: 'importRunOptions',
		call: (given) => untyped(AlexNet, 'import')(join(folder, 'none.onnx'), given),
		options: {...run, preset: notChoices, labels: notLabels, crop: notPositive},
	},
	{
		name: 'save',
		table: 'saveOptions',
		call: (given) => untyped(model, 'save')(join(folder, 'none.safetensors'), given),
		options: {momentum: ['no', ...notFlags]},
	},
	{
		name: 'activations',
		table: 'predictOptions',
		call: (given) => untyped(model, 'activations')(batch.images, 'fc6', given),
	},
	{
		name: 'classifyMany',
		table: 'classifyManyOptions',
		call: (given) => untyped(model, 'classifyMany')([], given),
		options: {top: notPositive, crops: notCrops, batchSize: notPositive, signal: notSignals},
	},
	{
		name: 'features',
		table: 'featuresOptions',
		call: (given) => untyped(model, 'features')([], 'fc6', given),
		options: {crops: notCrops, batchSize: notPositive, signal: notSignals},
	},
	{
		name: 'checkFolder',
		table: 'checkFolderOptions',
		call: (given) => (checkFolder as Call)(join(folder, 'none'), given),
		options: {validationFraction: notShares, signal: notSignals},
	},
	{
		name: 'examplePictures',
		table: 'examplePicturesOptions',
		call: (given) => (examplePictures as Call)('emoji', given),
		good: {cacheFolder: folder, source: join(folder, 'none')},
	},
	{
		name: 'preparePictures',
		table: 'prepareOptions',
		call: (given) => (preparePictures as Call)(join(folder, 'none'), join(folder, 'prepared'), given),
		options: {as: notChoices, imageSize: notPositive, ilsvrc: notFlags, signal: notSignals},
	},
	{
		name: 'drawPredictions',
		table: 'predictionsFigureOptions',
		call: (given) => (drawPredictions as Call)(model, source, join(folder, 'none.svg'), given),
		options: {count: notPositive, seed: notCounts, crops: notCrops},
	},
	{
		name: 'drawNeighbours',
		table: 'neighboursFigureOptions',
		call: (given) => (drawNeighbours as Call)(model, source, source, join(folder, 'none.png'), given),
		options: {count: notPositive, k: notPositive, crops: notCrops},
	},
	{
		name: 'runExperiment',
		table: 'experimentOptions',
		call: (given) => (runExperiment as Call)('lrn', given),
		good: {folder: join(folder, 'none'), out: join(folder, 'experiment')},
		options: {seeds: notPositive, form: notChoices, devices: run.devices, precision: notChoices},
	},
	{
		name: 'buildMpiModule',
		table: 'mpiBuildOptions',
		call: (given) => (buildMpiModule as Call)(given),
		good: {compiler: join(folder, 'none')},
	},
];

/** Of every kind something; most options can be little of it. */
const anything: Values = [
	...[null, NaN, -1, 0.5, 1e9, 1n, '', 'text', true, [], [null], {}, new Map(), Symbol('wrong'), () => undefined],
];

/** Those that the option cannot be; of an option that has options itself, what these cannot be. */
function wrongFor(check: Check<unknown>): Values {
	const wrong = anything.filter((value) => refusalOf(check, value) !== undefined);
	const inner = innerOf(check).flatMap(([name, each]) => wrongFor(each).map((value) => ({[name]: value})));
	return [...wrong, ...inner];
}

function innerOf(check: Check<unknown>): readonly (readonly [string, Check<unknown>])[] {
	return 'checks' in check ? Object.entries(check.checks as Record<string, Check<unknown>>) : [];
}

/** The error of a call, thrown at once or by the promise that it gives. */
async function errorOf(call: () => unknown): Promise<unknown> {
	try {
		await call();
		return 'none';
	} catch (error) {
		return error;
	}
}

for (const {name, table, call, options = {}, good} of functions) {
	test(`${name} refuses what its options cannot be`, async (t) => {
		const held = model.memory;
		const refused = async (given: unknown, message: RegExp): Promise<void> => {
			const error = await errorOf(() => call(given));
			t.like(error, {name: 'AlexNetError', code: 'ALEXNET_ARGUMENT'}, `${message.source}: ${String(error)}`);
			t.regex((error as Error).message, message);
		};
		for (const given of [null, 5, 'text', [], new Map()]) {
			await refused(given, new RegExp(`^The options of ${name} must be an object, got `));
		}
		const documented = tables.get(table) ?? [];
		const names = documented.map((option) => option.name);
		t.deepEqual(
			Object.keys(options).filter((option) => !names.includes(option)),
			[],
		);
		for (const {name: option, check} of documented) {
			const wrong = check ? wrongFor(check) : [];
			t.true(wrong.length > 0, option);
			for (const value of [...wrong, ...(options[option] ?? [])])
				await refused({...good, [option]: value}, new RegExp(`^${option}\\b.* (must be|is) .*`));
			const misspelt = `${option.slice(0, -1)}_`;
			await refused({...good, [misspelt]: 1}, new RegExp(`^${name} has no option '${misspelt}'\\. Did you mean '`));
		}
		t.deepEqual(model.memory, held);
		t.is(opened, 0);
	});
}

/** Which are none of a function's. */
const ofCommands = ['planOptions'];

test('each table of options is that of a function here, or a part of one', (t) => {
	const checksOf = (table: string): Check<unknown>[] => (tables.get(table) ?? []).flatMap(({check}) => check ?? []);
	const own = functions.flatMap(({table}) => checksOf(table));
	const tried = new Set([...own, ...own.flatMap((check) => innerOf(check).map(([, inner]) => inner))]);
	const others = [...tables.keys()].filter((table) => checksOf(table).some((check) => !tried.has(check)));
	t.deepEqual(others, ofCommands);
});

const others: readonly (readonly [string, () => unknown, RegExp])[] = [
	[
		'an AlexNet by new',
		() => Reflect.construct(AlexNet, [{classes: 2}]) as unknown,
		/use await AlexNet\.create\(…\) or .*load/,
	],
	[
		"an AlexNet of a class of one's own",
		() => Reflect.construct(AlexNet, [], Array) as unknown,
		/use await AlexNet\.create/,
	],
	[
		'an ImageFolder by new',
		() => Reflect.construct(ImageFolder, ['pictures']) as unknown,
		/use await ImageFolder\.open\(…\)/,
	],
	['create without options', () => untyped(AlexNet, 'create')(), /^The options of AlexNet\.create must be an object/],
	['create without classes', () => AlexNet.create({}), /^Give labels \(names\) or classes \(a number\)\.$/],
	['a device of another spelling', () => untyped(AlexNet, 'create')({classes: 2, device: 'cuda:0'}), /'devices'\?$/],
	['load without a path', () => untyped(AlexNet, 'load')(), /^path must be a path, .*, got undefined\.$/],
	['load with a URL', () => untyped(AlexNet, 'load')(new URL('file:///net')), /^path must be .*, got a URL\.$/],
	['save without a path', () => untyped(model, 'save')(), /^path must be/],
	['train on nothing', () => untyped(model, 'train')(), /^source must be a source of pictures.*, got undefined\.$/],
	['evaluate on a path', () => untyped(model, 'evaluate')(folder), /^source must be a source of pictures/],
	[
		'predict floats',
		() => untyped(model, 'predict')(new Float32Array(9)),
		/^images must be a Uint8Array, got a Float32Array/,
	],
	['predict nothing', () => untyped(model, 'predict')(), /^images must be a Uint8Array, got undefined\.$/],
	[
		'statistics of nothing',
		() => Object.assign(model, {statistics: {}}),
		/^mean must be a Float32Array, got undefined\.$/,
	],
	['parameters that are no map', () => untyped(model, 'setParameters')({}), /^values must be an instance of Map/],
	['open without a folder', () => untyped(ImageFolder, 'open')(), /^dir must be a path/],
	[
		'filters of nothing',
		() => (writeFilters as Call)(undefined, 'a.png'),
		/^model must be an AlexNet, got undefined\.$/,
	],
	['a RunFolder by new', () => Reflect.construct(RunFolder, ['run']) as unknown, /use await RunFolder\.create\(…\)/],
	['a run nowhere', () => untyped(RunFolder, 'create')(undefined, {}), /^path must be a path/],
	[
		'a run of nothing',
		() => untyped(RunFolder, 'create')(join(folder, 'new')),
		/^config must be an object, got undefined/,
	],
	['go on with no net', () => untyped(RunFolder, 'resume')(join(folder, 'new'), {}), /^model must be an AlexNet/],
	['go on nowhere', () => untyped(RunFolder, 'read')(), /^path must be a path/],
	['save no net', () => untyped(runFolder, 'save')(), /^model must be an AlexNet, got undefined\.$/],
	[
		'a file that a run has not',
		() => untyped(runFolder, 'file')('weights'),
		/^name must be one of config, metrics, last, best, filters, kernels, predictions, report/,
	],
	['filters to nowhere', () => (writeFilters as Call)(model), /^path must be a path/],
	['open no device', () => (openDevice as Call)(), /^id must be a string, got undefined\.$/],
];

for (const [title, call, message] of others) {
	test(title, async (t) => {
		const error = await errorOf(call);
		t.like(error, {name: 'AlexNetError', code: 'ALEXNET_ARGUMENT'}, String(error));
		t.regex((error as Error).message, message);
	});
}

test('train(data) names the parts of an ImageFolder', (t) => {
	const data = Object.create(ImageFolder.prototype) as ImageFolder;
	const error = t.throws(() => untyped(model, 'train')(data), {code: 'ALEXNET_ARGUMENT'});
	t.regex(error.message, /such as an ImageFolder's train or validation, got an ImageFolder\.$/);
});

test('labels that are no numbers are told apart from those that are', async (t) => {
	for (const [label, shown] of [
		['0', "'0'"],
		[0n, '0n'],
		[null, 'null'],
		[0.5, '0.5'],
		[3, '3'],
	] as const) {
		await t.throwsAsync(() => untyped(model, 'trainStep')({...batch, labels: [label, 0, 0, 0]}) as Promise<unknown>, {
			code: 'ALEXNET_LABEL',
			message: `The label of picture 0 is ${shown}; it must be an integer from 0 to 2.`,
		});
	}
});

test('indices are as many as labels', async (t) => {
	await t.throwsAsync(model.trainStep({...batch, indices: [0, 1]}), {code: 'ALEXNET_SHAPE', message: /indices.* 4/});
});

test('a device whose number is out of range is no other one', (t) => {
	for (const id of [`cpu:${2 ** 32}`, `cuda:${2 ** 32}`]) t.throws(() => openDevice(id), {code: 'ALEXNET_DEVICE'});
});
