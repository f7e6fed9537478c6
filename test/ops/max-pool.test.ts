import type {PoolOptions} from '../../lib/device/native.ts';
import {operations} from '../../lib/ops.ts';
import {realTypes, roundTo} from '../../lib/selftest/bfloat16.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {maxPool, maxPoolBackward, poolOutputShape, type PoolInput} from '../../lib/selftest/reference/max-pool.ts';
import {badArgument, badShape, badType, testRefusals} from '../helpers/refusals.ts';
import {assertClose, assertEqual} from '../helpers/tolerance.ts';

interface Case {
	title: string;
	shape: PoolInput;
	options: PoolOptions;
	misaligned?: true;
}

const overlapped = {size: 3, stride: 2};
const apart = {size: 2, stride: 2};

const cases: Case[] = [
	{title: 'layer 1', shape: [2, 15, 15, 96], options: overlapped},
	{title: 'layer 2, one column', shape: [1, 13, 13, 128], options: overlapped},
	{title: '2/2', shape: [3, 8, 6, 48], options: apart},
	{title: '2/2 with a row and a column left over', shape: [2, 7, 9, 16], options: apart},
	{title: '3/2 with a row and a column left over', shape: [2, 8, 6, 24], options: overlapped},
	{title: 'channels off 8', shape: [3, 7, 9, 13], options: overlapped},
	{title: 'one channel', shape: [1, 9, 5, 1], options: overlapped},
	{title: 'the window is the picture', shape: [5, 3, 3, 20], options: overlapped},
	{title: 'every pixel in nine windows', shape: [1, 7, 6, 16], options: {size: 3, stride: 1}},
	{title: 'pixels between windows', shape: [2, 8, 8, 8], options: {size: 2, stride: 3}},
	{title: 'pictures of one pixel', shape: [3, 1, 1, 16], options: {size: 1, stride: 1}},
	{title: 'views', shape: [2, 7, 5, 19], options: overlapped, misaligned: true},
];

for (const dataType of realTypes) {
	for (const {title, shape, options, misaligned} of cases) {
		const length = shape.reduce((a, b) => a * b);
		const outputShape = poolOutputShape(shape, options);
		const outputLength = outputShape.reduce((a, b) => a * b);
		// Three negative levels: in most windows several elements are the greatest, and none is above zero.
		for (const ties of [false, true]) {
			forEachDevice(
				`maxPool ${dataType}: ${title}${ties ? ', with ties' : ''}`,
				async (t, bench) => {
					const inputs = ties ? bench.random.ties(length, 3, -4) : bench.random.values(length, 1, dataType);
					const input = bench.input(shape, dataType, inputs);
					const output = bench.output(outputShape, dataType);
					const expected = maxPool(shape, options, inputs);
					operations.maxPool({input, output, ...options});
					assertEqual(t, 'output without workspace', await bench.read(output), expected);

					const again = bench.output(outputShape, dataType);
					const workspace = bench.workspace(operations.maxPoolWorkspaceBytes({input, output, ...options}))!;
					operations.maxPool({input, output: again, workspace, ...options});
					assertEqual(t, 'output', await bench.read(again), expected);

					const gradients = bench.random.values(outputLength, 1, dataType);
					const outputGradient = bench.input(outputShape, dataType, gradients);
					const inputGradient = bench.output(shape, dataType);
					operations.maxPoolBackward({outputGradient, inputGradient, workspace, ...options});
					// An fp32 sum over the windows that an element won.
					const expectedGradient = maxPoolBackward(shape, options, inputs, gradients);
					const actual = await bench.read(inputGradient);
					assertClose(t, 'inputGradient', actual, expectedGradient, dataType, (count) => count);
				},
				{misaligned},
			);
		}
	}

	forEachDevice(`maxPool ${dataType} of infinities and the largest numbers`, async (t, bench) => {
		const largest = roundTo(dataType, 3.38e38);
		const inputs = [
			[-Infinity, -Infinity, 1],
			[-Infinity, -largest, largest],
			[-Infinity, -Infinity, -Infinity],
			[-Infinity, -Infinity, Infinity],
		].flat();
		const output = bench.output([1, 1, 1, 3], dataType);
		operations.maxPool({input: bench.input([1, 2, 2, 3], dataType, inputs), output, ...apart});
		assertEqual(t, 'output', await bench.read(output), Float64Array.of(-Infinity, -largest, Infinity));
	});
}

const refusedPools = [
	badArgument({size: 0}, /size and stride must be at least 1/),
	badArgument({stride: 0}, /size and stride must be at least 1/),
	badArgument({size: undefined}, /size must be a finite number/),
	badShape({size: 6}, /a window of 6 does not fit into \[2, 5, 5, 8\]/),
	badShape({stride: 1}, /must be \[2, 3, 3, 8\], got \[2, 2, 2, 8\]/),
	badType((make) => ({workspace: make([64])}), /workspace must be uint8, got float32/),
];
testRefusals('maxPool', {
	tensors: (make) => ({input: make([2, 5, 5, 8]), output: make([2, 2, 2, 8])}),
	options: overlapped,
	refused: [
		...refusedPools,
		badType((make) => ({output: make([2, 2, 2, 8], 'bfloat16')}), /output must be float32, got bfloat16/),
	],
});
testRefusals('maxPoolBackward', {
	tensors: (make) => {
		const [input, output] = [make([2, 5, 5, 8]), make([2, 2, 2, 8])];
		const workspace = make([operations.maxPoolWorkspaceBytes({input, output, ...overlapped})], 'uint8');
		operations.maxPool({input, output, workspace, ...overlapped});
		return {outputGradient: output, inputGradient: input, workspace};
	},
	options: overlapped,
	anyShape: ['workspace'],
	refused: refusedPools,
});

forEachDevice('maxPool and maxPoolBackward refuse a workspace that is too small', async (t, bench) => {
	const shape: PoolInput = [2, 7, 7, 8];
	const input = bench.input(shape, 'float32', bench.random.values(2 * 7 * 7 * 8, 1, 'float32'));
	const output = bench.inPlace([2, 3, 3, 8], 'float32', bench.random.values(2 * 3 * 3 * 8, 1, 'float32'));
	const workspace = bench.workspace(1)!;
	const inputGradient = bench.output(shape, 'float32');
	for (const [name, call] of [
		['maxPool', () => operations.maxPool({input, output, workspace, ...overlapped})],
		[
			'maxPoolBackward',
			() => operations.maxPoolBackward({outputGradient: output, inputGradient, workspace, ...overlapped}),
		],
	] as const) {
		const run = async (): Promise<void> => {
			call();
			await bench.device.synchronize();
		};
		await t.throwsAsync(run, {code: 'ALEXNET_SHAPE', message: new RegExp(`^${name}: workspace must have \\d+ bytes`)});
	}
});
