import {elementsOf} from '../../lib/device/memory.ts';
import {operations} from '../../lib/ops.ts';
import {realTypes, roundTo} from '../../lib/selftest/bfloat16.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {type PoolInput} from '../../lib/selftest/reference/max-pool.ts';
import {badArgument, badShape, badType, testRefusals} from '../helpers/refusals.ts';
import {assertEqual, assertSame} from '../helpers/tolerance.ts';
import {testCases} from '../helpers/cases.ts';

const overlapped = {size: 3, stride: 2};

testCases('maxPool', 'maxPoolBackward');

for (const dataType of realTypes) {
	forEachDevice(`maxPool ${dataType} of infinities and the largest numbers`, async (t, bench) => {
		const largest = roundTo(dataType, 3.38e38);
		const inputs = [
			[-Infinity, -Infinity, 1],
			[-Infinity, -largest, largest],
			[-Infinity, -Infinity, -Infinity],
			[-Infinity, -Infinity, Infinity],
		].flat();
		const output = bench.output([1, 1, 1, 3], dataType);
		operations.maxPool({input: bench.input([1, 2, 2, 3], dataType, inputs), output, size: 2, stride: 2});
		assertEqual(t, 'output', await bench.read(output), Float64Array.of(-Infinity, -largest, Infinity));
	});
}

for (const dataType of realTypes) {
	forEachDevice(`maxPoolBackward ${dataType} below a ReLU has the bits of activateBackward`, async (t, bench) => {
		const [shape, outputShape] = [
			[3, 15, 13, 24],
			[3, 7, 6, 24],
		] as const;
		const values = bench.random.values(elementsOf(shape), 1, dataType).map((value) => Math.max(0, value));
		const input = bench.input(shape, dataType, values);
		const output = bench.output(outputShape, dataType);
		const workspace = bench.workspace(operations.maxPoolWorkspaceBytes({input, output, ...overlapped}))!;
		operations.maxPool({input, output, workspace, ...overlapped});
		const gradients = bench.random.values(elementsOf(outputShape), 1, dataType);
		const outputGradient = bench.input(outputShape, dataType, gradients);
		const [pooled, separate, inputGradient] = [shape, shape, shape].map((form) => bench.output(form, dataType));
		operations.maxPoolBackward({outputGradient, inputGradient: pooled!, workspace, ...overlapped});
		operations.activateBackward({
			output: input,
			outputGradient: pooled!,
			inputGradient: separate!,
			activation: 'relu',
		});
		const [activation, tensors] = ['relu', {outputGradient, inputGradient: inputGradient!, workspace, output}] as const;
		operations.maxPoolBackward({...tensors, activation, ...overlapped});
		assertSame(t, 'inputGradient', await bench.read(inputGradient!), await bench.read(separate!));
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
	refused: [
		...refusedPools,
		badArgument({activation: 'relu'}, /output goes with activation 'relu', and only with it/),
		badArgument((make) => ({output: make([2, 2, 2, 8])}), /output goes with activation 'relu', and only with it/),
		badArgument({activation: 'tanh'}, /activation must be 'none' or 'relu'/),
		badArgument({activation: 'sigmoid'}, /activation must be 'none' or 'relu'/),
		badShape((make) => ({activation: 'relu', output: make([2, 2, 2, 9])}), /output must be \[2, 2, 2, 8\], got/),
		badType((make) => ({activation: 'relu', output: make([2, 2, 2, 8], 'bfloat16')}), /output must be float32, got/),
	],
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
