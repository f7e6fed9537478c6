// What files are refused for: one file for each reason that a reader gives.
import {truncateSync, writeFileSync} from 'node:fs';
import test from 'ava';
import {AlexNet} from '../../lib/classifier.ts';
import type {ImportOptions} from '../../lib/interchange/import-net.ts';
import {
	graphFields,
	modelFields,
	nodeMessage,
	tensorFields,
	valueMessage,
	type Node,
} from '../../lib/interchange/onnx.ts';
import {bytes, encoded, float, integer, integers, message, text, type Field} from '../../lib/interchange/protobuf.ts';
import {caffeNet, writeCaffeModel, writeMean, type CaffeLayer} from '../helpers/caffe.ts';
import {temporaryPaths} from '../helpers/interchange.ts';
import {drawn, writeGraph, type Floats, type Graph} from '../helpers/onnx.ts';
import {zipOf} from '../helpers/pth.ts';

const at = temporaryPaths();

/** Writes a file at a path and may write others beside it. */
type Write = (path: string) => void;

function refuses(title: string, write: Write, reason: RegExp, options?: (path: string) => ImportOptions): void {
	test(title, async (t) => {
		const path = at(title.replaceAll(/\W/g, ' '));
		write(path);
		const error = await t.throwsAsync(AlexNet.import(path, options?.(path) ?? {}), {code: 'ALEXNET_IMPORT'});
		t.regex(error.message, reason);
		t.true(error.message.length < 400 + path.length, error.message);
	});
}

const crop = 15;
const conv: Graph['nodes'][number] = {operator: 'Conv', constants: ['w1', 'b1'], attributes: {strides: [2, 2]}};
const gemm: Graph['nodes'][number] = {operator: 'Gemm', constants: ['w2', 'b2'], attributes: {transB: 1}};
const constants = {w1: drawn([4, 3, 3, 3], 0.1), b1: drawn([4], 0.1), w2: drawn([2, 196], 0.1), b2: drawn([2], 0.1)};

/** A net of two layers, with more in it. */
function graph(nodes: Graph['nodes'], others: Graph['constants'] = {}): Write {
	return (path) => {
		writeGraph(path, {crop, nodes, constants: {...constants, ...others}});
	};
}

test('the net that the graphs below are made of is read', async (t) => {
	const path = at('whole.onnx');
	graph([conv, {operator: 'Relu'}, {operator: 'Flatten'}, gemm])(path);
	await using model = await AlexNet.import(path);
	t.is(model.classes, 2);
});

for (const [title, nodes, reason, others] of [
	['channels that are not there', [conv], /conv1 reads 2 channels of 3/, {w1: drawn([4, 2, 3, 3], 1)}],
	['kernels that are no squares', [conv], /kernels of 3 x 5, which should be squares/, {w1: drawn([4, 3, 3, 5], 1)}],
	[
		'three groups',
		[{...conv, attributes: {group: 3}}],
		/conv1 has 3 groups; a net has at most 2 columns/,
		{w1: drawn([6, 1, 3, 3], 1)},
	],
	['features that are not there', [conv, gemm], /fc2 reads 195 features of 196/, {w2: drawn([2, 195], 1)}],
	['weights of three dimensions', [conv], /Conv must have weights of four dimensions/, {w1: drawn([4, 3, 9], 1)}],
	['a matrix of three dimensions', [conv, gemm], /Gemm must have weights of two/, {w2: drawn([2, 14, 14], 1)}],
	['weights of integers', [conv], /w1 has elements of ONNX's type 7, where 1 \(floats\) is expected/, {w1: [1, 2, 3]}],
	['dilations', [{...conv, attributes: {dilations: [2, 2]}}], /Conv must have no dilations/],
	['strides that differ', [{...conv, attributes: {strides: [2, 1]}}], /strides the same on all sides/],
	['two pads', [{...conv, attributes: {pads: [1, 1]}}], /Conv must have four pads/],
	[
		'windows over the edge',
		[
			conv,
			{operator: 'MaxPool', attributes: {kernel_shape: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1], ceil_mode: 1}},
		],
		/pool1 makes 4 x 4 windows of 7 x 7, where 3 x 3 lie inside: take a crop/,
	],
	[
		'pads above',
		[conv, {operator: 'MaxPool', attributes: {kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1]}}],
		/MaxPool must have no pads above/,
	],
	['an average', [conv, {operator: 'AveragePool', attributes: {kernel_shape: [2, 2]}}], /a kernel of one pixel/],
	['another axis to flatten', [conv, {operator: 'Flatten', attributes: {axis: 2}}], /Flatten must have the axis 1/],
	['a factor', [conv, {...gemm, attributes: {transB: 1, alpha: {float: 2}}}], /no factors alpha and beta/],
	['a first matrix that lies', [conv, {...gemm, attributes: {transA: 1}}], /its first matrix as it is/],
	['probabilities over pictures', [conv, gemm, {operator: 'Softmax', attributes: {axis: 0}}], /Softmax must have the/],
	[
		'a shape of other sides',
		[conv, {operator: 'Reshape', constants: ['to']}],
		/the sides as they are/,
		{to: [-1, 4, 49, 1]},
	],
	['a shape of other channels', [conv, {operator: 'Reshape', constants: ['to']}], /half of them/, {to: [-1, 3, 7, 7]}],
	['features left out', [conv, {operator: 'Reshape', constants: ['to']}], /all features of a picture/, {to: [1, 195]}],
	['a subtraction too late', [conv, {operator: 'Sub', constants: ['b1']}], /Sub must have a place before the first/],
	['a division too late', [conv, {operator: 'Div', constants: ['b1']}], /Div must have a place before the first/],
	['two rates', [conv, {operator: 'Dropout', constants: ['two']}], /two has several values/, {two: drawn([2], 1)}],
	['an operator of other nets', [conv, {operator: 'Einsum'}], /Einsum/],
] as const satisfies readonly (readonly [string, Graph['nodes'], RegExp, Graph['constants']?])[]) {
	refuses(`a graph with ${title}`, graph(nodes, others), reason);
}

/** A graph as messages. */
function rawGraph(...fields: readonly Field[]): Write {
	return (path) => {
		writeFileSync(path, encoded(bytes(modelFields.graph, encoded(...fields))));
	};
}

const pictures = valueMessage(graphFields.input, 'data', [1, 3, crop, crop]);
const reads = (...inputs: readonly string[]): Field =>
	nodeMessage({operator: 'Conv', name: '', inputs, output: 'out'} satisfies Node);
const tensor = (...fields: readonly Field[]): Field =>
	message(graphFields.initializer, text(tensorFields.name, 'w'), integer(tensorFields.type, 1), ...fields);
const output = valueMessage(graphFields.output, 'out', []);
const dimensions = (...lengths: readonly number[]): Field[] =>
	lengths.map((length) => integer(tensorFields.dimensions, length));
const manyFields: Field = (writer) => {
	for (let left = 2 ** 17; left > 0; --left) integer(99, 1)(writer);
};

for (const [title, fields, reason] of [
	['no input', [], /its graph has 0 inputs, where one is expected/],
	['two inputs', [pictures, valueMessage(graphFields.input, 'more', [1])], /its graph has 2 inputs/],
	['pictures that are no squares', [valueMessage(graphFields.input, 'data', [1, 3, 9, 8])], /its pictures are 9 x 8/],
	[
		'pictures of any size',
		[valueMessage(graphFields.input, 'data', [1, 3, 'h', 'w'])],
		/its pictures are 0 x 0; say which/,
	],
	['weights that are computed', [pictures, reads('data', 'w'), output], /w is computed where a constant is expected/],
	[
		'weights in another file',
		[pictures, tensor(message(tensorFields.external)), reads('data', 'w'), output],
		/w lies in another file; save the model as one file/,
	],
	[
		'a shape of too many dimensions',
		[pictures, tensor(...dimensions(1, 1, 1, 1, 1, 1, 1, 1, 1)), reads('data', 'w'), output],
		/w has a shape that cannot be/,
	],
	[
		'a negative length',
		[pictures, tensor(...dimensions(4, -3)), reads('data', 'w'), output],
		/w has a shape that cannot/,
	],
	[
		'fewer bytes than elements',
		[pictures, tensor(...dimensions(4, 3, 3, 3), bytes(tensorFields.raw, Buffer.alloc(8))), reads('data', 'w'), output],
		/w has 8 bytes for \[4, 3, 3, 3\]/,
	],
	['more fields than any net', [pictures, manyFields], /it has more than 131072 fields/],
	[
		'more numbers than any net',
		[pictures, tensor(bytes(tensorFields.dimensions, Buffer.alloc(2 ** 17, 1))), reads('data', 'w'), output],
		/it has more than 131072 numbers/,
	],
] as const satisfies readonly (readonly [string, readonly Field[], RegExp])[]) {
	refuses(`a graph with ${title} as messages`, rawGraph(...fields), reason);
}

/** x / (mean of squares * alpha + k) ^ beta in single operations, with something else in one place. */
function singleOperations(window: readonly number[], sum: string): Write {
	const node = (operator: string, inputs: readonly string[], made: string, attributes?: Node['attributes']): Field =>
		nodeMessage({operator, name: '', inputs, output: made, ...(attributes && {attributes})});
	return rawGraph(
		pictures,
		node('Mul', ['data', 'data'], 'squares'),
		node('AveragePool', ['squares'], 'average', {kernel_shape: window}),
		node('Mul', ['average', 'alpha'], 'product'),
		node(sum, ['product', 'k'], 'sum'),
		node('Pow', ['sum', 'beta'], 'power'),
		node('Div', ['data', 'power'], 'out'),
		output,
	);
}

refuses(
	'LRN over rows',
	singleOperations([1, 3, 1], 'Add'),
	/AveragePool is no mean of squares over a window of channels/,
);
refuses('LRN that subtracts', singleOperations([3, 1, 1], 'Sub'), /Sub stands where LRN in single operations has Add/);

const byte = (...values: readonly number[]): Buffer => Buffer.from(values);
const pickled = (program: Buffer, others: Readonly<Record<string, Buffer>> = {}): Write => {
	return (path) => {
		writeFileSync(path, zipOf({'net/data.pkl': program, ...others}));
	};
};
const [stop, mark, none, dictionary, list] = [0x2e, 0x28, 0x4e, 0x7d, 0x5d];

for (const [title, program, reason, others] of [
	['takes from an empty stack', byte(0x85, stop), /takes more than it has/],
	['takes down to no mark', byte(0x74, stop), /takes more than it has/],
	['puts pairs into nothing', byte(none, mark, none, none, 0x75, stop), /puts pairs into no dictionary/],
	['puts half a pair', byte(dictionary, mark, none, 0x75, stop), /puts pairs into no dictionary/],
	['appends to nothing', byte(none, none, 0x61, stop), /appends to no list/],
	['calls nothing', byte(none, list, 0x52, stop), /calls what is no function/],
	['sets attributes of nothing', byte(none, dictionary, 0x62, stop), /sets attributes of no dictionary/],
	['asks for what it has not kept', byte(0x68, 7, stop), /asks for what it has not kept/],
	['has a long integer', byte(0x8a, 7, 1, 1, 1, 1, 1, 1, 1, stop), /has an integer of 7 bytes/],
	['has another instruction', byte(0x93, stop), /has the instruction 0x93, which no state dict needs/],
	['is cut short', byte(0x58, 9, 0, 0, 0), /is cut short/],
	['holds no dictionary', byte(none, stop), /holds no dictionary of tensors/],
	['refers to no storage', byte(none, 0x51, stop), /refers to something else than a storage/],
	['is as long as a net', Buffer.alloc(2 ** 20 + 1), /data\.pkl has 1048577 bytes, where names have 1048576 at most/],
	[
		'is of another machine',
		byte(dictionary, stop),
		/its numbers are big-endian/,
		{'net/byteorder': Buffer.from('big')},
	],
] as const satisfies readonly (readonly [string, Buffer, RegExp, Readonly<Record<string, Buffer>>?])[]) {
	refuses(`a pickle that ${title}`, pickled(program, others), reason);
}

refuses('a pickle alone', (path) => writeFileSync(path, byte(0x80, 2, none, stop)), /PyTorch wrote them before 1\.6/);
refuses('a zip of something else', (path) => writeFileSync(path, zipOf({readme: byte(1)})), /it has no data\.pkl/);
refuses(
	'a zip of too many files',
	(path) =>
		writeFileSync(path, zipOf(Object.fromEntries(Array.from({length: 10_001}, (_, each) => [`${each}`, byte()])))),
	/it has 10001 entries, and the most are 10000/,
);

/** Changes a byte of the directory's first entry. */
function inDirectory(place: number, value: number): Write {
	return (path) => {
		const zip = zipOf({'net/data.pkl': byte(none, stop)});
		zip[zip.indexOf('PK\u0001\u0002') + place] = value;
		writeFileSync(path, zip);
	};
}

refuses('a zip that is compressed', inDirectory(10, 8), /data\.pkl is compressed/);
refuses('a zip that is encrypted', inDirectory(8, 1), /data\.pkl is encrypted/);
refuses('a zip whose entry lies elsewhere', inDirectory(42, 1), /data\.pkl is not where the directory says/);
refuses('a zip whose entry is too long', inDirectory(26, 1), /data\.pkl ends after the file/);
/** A .caffemodel of the helper's net with another layer in the place of the one of that name. */
function caffe(name: string, change: Partial<CaffeLayer>): Write {
	const layers = caffeNet().map((layer) => (layer.name === name ? {...layer, ...change} : layer));
	return (path) => {
		writeCaffeModel(path, layers, false);
	};
}

for (const [title, name, change, reason] of [
	['without weights', 'conv1', {blobs: []}, /conv1 has no weights: the file describes a net and does not hold one/],
	['with a slope below zero', 'relu1', {parameters: [float(1, 0.5)]}, /relu1 must have no slope below zero/],
	['with windows of pixels', 'norm1', {parameters: [integer(4, 1)]}, /norm1 must have windows of channels/],
	['with a mean of windows', 'pool1', {parameters: [integer(1, 1), integer(2, 3)]}, /pool1 must have the method MAX/],
	['with oblong windows', 'pool1', {parameters: [integer(5, 3), integer(6, 2)]}, /pool1 must have square windows/],
	['with dilation', 'conv1', {parameters: [integer(18, 2)]}, /conv1 must have no dilation/],
	['with two strides', 'conv1', {parameters: [integer(13, 2), integer(14, 1)]}, /conv1 must have the same strides/],
	['with a matrix for kernels', 'conv1', {blobs: [drawn([8, 147], 1)]}, /conv1 must have weights of four dimensions/],
] as const satisfies readonly (readonly [string, string, Partial<CaffeLayer>, RegExp])[]) {
	refuses(`a .caffemodel ${title}`, caffe(name, change), reason);
}

const doubles = message(100, text(1, 'fc1'), text(2, 'InnerProduct'), message(7, bytes(8, Buffer.alloc(8))));
refuses(
	'a .caffemodel of doubles',
	(path) => writeFileSync(path, encoded(message(8, ...integers(1, [1, 3, crop, crop])), doubles)),
	/fc1 has weights of double precision, where floats are expected/,
);

/** With a mean image beside it. */
function withMean(title: string, mean: Floats, reason: RegExp): void {
	const write: Write = (path) => {
		caffe('', {})(path);
		writeMean(`${path}.mean`, mean);
	};
	refuses(title, write, reason, (path) => ({mean: `${path}.mean`}));
}

withMean('a mean image of two colours', drawn([2, 40, 40], 1), /no mean image of three squares but \[1, 2, 40, 40\]/);
withMean('a mean image that is oblong', drawn([3, 40, 41], 1), /no mean image of three squares but \[1, 3, 40, 41\]/);
withMean('a mean image smaller than the crop', drawn([3, 20, 20], 1), /the mean image is 20 pixels wide, .* sees 31/);
withMean(
	'a mean image of infinities',
	{shape: [3, 40, 40], values: new Float32Array(4800).fill(Infinity)},
	/no finite/,
);

const two: readonly Graph['nodes'][number][] = [conv, {operator: 'Flatten'}, gemm];
const centred: Graph['nodes'] = [{operator: 'Sub', constants: ['colour']}, ...two];
const colour = drawn([1, 3, 1, 1], 100);
refuses('a preset of a net that centres pictures', graph(centred, {colour}), /itself: leave preset out/, () => {
	return {preset: 'caffe'};
});
refuses('a mean of five values', graph(centred, {colour: drawn([5], 1)}), /the mean image has 5 values, where one/);
refuses('three labels of two outputs', graph(two), /there are 3 labels for its 2 outputs/, () => {
	return {labels: ['a', 'b', 'c']};
});
refuses(
	'weights that are no numbers',
	graph(two, {w2: {...constants.w2, values: nan(392)}}),
	/fc2\.weight has values that/,
);
refuses(
	'layers that share weights',
	graph([conv, {operator: 'Flatten'}, ...Array<typeof gemm>(9).fill({...gemm, constants: ['w3']})], {
		w3: drawn([196, 196], 1),
	}),
	/several of its layers share weights/,
);
refuses(
	'a file larger than any net',
	(path) => {
		writeFileSync(path, '');
		truncateSync(path, 2 ** 29 + 1);
	},
	/it has 536870913 bytes, and the most are 536870912/,
);

function nan(count: number): Float32Array {
	return new Float32Array(count).fill(NaN);
}
