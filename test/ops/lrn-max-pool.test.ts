// LRN and max pooling in one pass: against their definition, and bit for bit against the separate operations.
import {elementsOf} from '../../lib/device/memory.ts';
import type {DataType, Shape, Tensor} from '../../lib/device/tensor.ts';
import {operations} from '../../lib/ops.ts';
import {realTypes} from '../../lib/selftest/bfloat16.ts';
import {poolOutputShape, type PoolInput} from '../../lib/selftest/reference/max-pool.ts';
import type {Workbench} from '../../lib/selftest/workbench.ts';
import {testCases} from '../helpers/cases.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {badArgument, badShape, badType, testRefusals, type Make} from '../helpers/refusals.ts';
import {assertSame} from '../helpers/tolerance.ts';

const lrn = {size: 5, alpha: 1e-4, beta: 0.75, k: 2};
const pool = {size: 3, stride: 2};

testCases('lrnMaxPool', 'lrnMaxPoolBackward');

const geometries = [
	{shape: [3, 15, 13, 96], lrn: {...lrn, columns: 2}, pool},
	{shape: [2, 13, 13, 256], lrn, pool},
	{shape: [2, 9, 10, 40], lrn: {...lrn, beta: 0.6, columns: 5}, pool: {size: 2, stride: 2}},
	{shape: [2, 9, 7, 16], lrn, pool: {size: 3, stride: 1}},
	{shape: [2, 8, 9, 30], lrn: {...lrn, size: 3, columns: 2}, pool},
] as const satisfies readonly {shape: PoolInput; lrn: object; pool: object}[];

/** Positive, zero and a few other numbers, as a ReLU leaves them. */
function activations(bench: Workbench, length: number, type: 'float32' | 'bfloat16'): Float64Array {
	const values = bench.random.values(length, 100, type).map((value) => Math.max(0, value));
	for (const special of [NaN, Infinity]) values[bench.random.integer(length)] = special;
	return values;
}

for (const type of realTypes) {
	for (const {shape, ...options} of geometries) {
		const {size, stride} = options.pool;
		const title = `${shape.join('x')}, ${size}/${stride}`;
		forEachDevice(`lrnMaxPool ${type} has the bits of lrn and maxPool: ${title}`, async (t, bench) => {
			const outputShape = poolOutputShape(shape, options.pool);
			const length = elementsOf(shape);
			const input = bench.input(shape, type, activations(bench, length, type));
			const make = (form: Shape, dataType: DataType = type): Tensor => bench.output(form, dataType);
			const [normalized, output, fused] = [make(shape), make(outputShape), make(outputShape)];
			const bytes = operations.maxPoolWorkspaceBytes({input, output, ...options.pool});
			const [workspace, fusedWorkspace] = [bench.workspace(bytes)!, bench.workspace(bytes)!];
			operations.lrn({input, output: normalized, ...options.lrn});
			operations.maxPool({input: normalized, output, workspace, ...options.pool});
			operations.lrnMaxPool({input, output: fused, workspace: fusedWorkspace, ...options});
			assertSame(t, 'output', await bench.read(fused), await bench.read(output));
			assertSame(t, 'workspace', await bench.read(fusedWorkspace), await bench.read(workspace));

			const values = bench.random.values(elementsOf(outputShape), 1, type);
			const outputGradient = bench.input(outputShape, type, values);
			const [pooled, separate, masked] = [make(shape), make(shape), make(shape)];
			operations.maxPoolBackward({outputGradient, inputGradient: pooled, workspace, ...options.pool});
			operations.lrnBackward({input, outputGradient: pooled, inputGradient: separate, ...options.lrn});
			operations.activateBackward({output: input, outputGradient: separate, inputGradient: masked, activation: 'relu'});
			for (const [activation, expected] of [
				['none', separate],
				['relu', masked],
			] as const) {
				const inputGradient = make(shape);
				operations.lrnMaxPoolBackward({input, outputGradient, inputGradient, workspace, activation, ...options});
				assertSame(t, `inputGradient, ${activation}`, await bench.read(inputGradient), await bench.read(expected));
			}
		});
	}
}

const refused = [
	badArgument({lrn: {...lrn, size: 4}}, /size must be odd/),
	badArgument({lrn: {...lrn, columns: 3}}, /columns must divide the channels/),
	badArgument({lrn: {...lrn, k: '2'}}, /lrn\.k must be a finite number/),
	badArgument({lrn: {...lrn, stride: 2}}, /there is no field 'lrn\.stride'\. There are: columns, /),
	badArgument({lrn: undefined}, /lrn must be an options object/),
	badArgument({pool: {size: 0, stride: 2}}, /size and stride must be at least 1/),
	badArgument({pool: {size: 3}}, /pool\.stride must be a finite number/),
	badArgument({pool: 3}, /pool must be an options object/),
	badShape({pool: {size: 6, stride: 2}}, /a window of 6 does not fit into \[2, 5, 5, 8\]/),
	badShape({pool: {size: 3, stride: 1}}, /must be \[2, 3, 3, 8\], got \[2, 2, 2, 8\]/),
	badType((make) => ({workspace: make([64])}), /workspace must be uint8, got float32/),
];
const tensors = (make: Make): {input: Tensor; output: Tensor} => ({
	input: make([2, 5, 5, 8]),
	output: make([2, 2, 2, 8]),
});
testRefusals('lrnMaxPool', {tensors, options: {lrn, pool}, refused});
testRefusals('lrnMaxPoolBackward', {
	tensors: (make) => {
		const {input, output} = tensors(make);
		const workspace = make([operations.maxPoolWorkspaceBytes({input, output, ...pool})], 'uint8');
		operations.lrnMaxPool({input, output, workspace, lrn, pool});
		return {input, outputGradient: output, inputGradient: make([2, 5, 5, 8]), workspace};
	},
	options: {lrn, pool},
	anyShape: ['workspace'],
	refused: [
		...refused,
		badArgument({activation: 'tanh'}, /activation must be 'none' or 'relu'/),
		badArgument({activation: 'sigmoid'}, /activation must be 'none' or 'relu'/),
		badArgument((make) => {
			const input = make([2, 5, 5, 8]);
			return {input, inputGradient: input};
		}, /inputGradient must not be input/),
	],
});

forEachDevice('lrnMaxPool and lrnMaxPoolBackward refuse a workspace that is too small', async (t, bench) => {
	const input = bench.input([2, 7, 7, 8], 'float32', bench.random.values(2 * 7 * 7 * 8, 1, 'float32'));
	const output = bench.inPlace([2, 3, 3, 8], 'float32', bench.random.values(2 * 3 * 3 * 8, 1, 'float32'));
	const inputGradient = bench.output([2, 7, 7, 8], 'float32');
	const workspace = bench.workspace(1)!;
	const tensorsOf = {input, outputGradient: output, inputGradient, workspace};
	for (const [name, call] of [
		['lrnMaxPool', () => operations.lrnMaxPool({input, output, workspace, lrn, pool})],
		['lrnMaxPoolBackward', () => operations.lrnMaxPoolBackward({...tensorsOf, lrn, pool})],
	] as const) {
		const run = async (): Promise<void> => {
			call();
			await bench.device.synchronize();
		};
		await t.throwsAsync(run, {code: 'ALEXNET_SHAPE', message: new RegExp(`^${name}: workspace must have \\d+ bytes`)});
	}
});
