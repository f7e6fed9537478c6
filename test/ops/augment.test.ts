import {operations} from '../../lib/ops.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {badShape, badType, testRefusals} from '../helpers/refusals.ts';
import {testCases} from '../helpers/cases.ts';

testCases('augment');

for (const [title, view] of [
	['above the picture', [-1, 0, 0]],
	['below the picture', [3, 0, 0]],
	['beyond its right edge', [0, 2, 0]],
	['between pixels', [0.5, 0, 0]],
	['mirrored twice', [0, 0, 2]],
	['nowhere', [NaN, 0, 0]],
] as const) {
	forEachDevice(`augment refuses a crop ${title}`, async (t, bench) => {
		const output = bench.output([2, 4, 4, 3], 'float32');
		operations.augment({
			images: bench.input([2, 6, 5, 3], 'uint8', new Uint8Array(180).fill(9)),
			views: bench.input([2, 6], 'float32', [0, 0, 0, 1, 1, 1, ...view, 1, 1, 1]),
			mean: bench.input([6, 5, 3], 'float32', new Float32Array(90).fill(1)),
			output,
		});
		await t.throwsAsync(bench.device.synchronize(), {code: 'ALEXNET_ARGUMENT', message: /^augment: view 1 /});
	});
}

testRefusals('augment', {
	tensors: (make) => ({
		images: make([2, 6, 5, 3], 'uint8'),
		views: make([2, 6]),
		mean: make([6, 5, 3]),
		output: make([2, 4, 4, 3]),
	}),
	refused: [
		badShape((make) => ({output: make([2, 7, 4, 3])}), /a crop of \[2, 7, 4, 3\] does not fit into \[2, 6, 5, 3\]/),
		badShape((make) => ({output: make([1, 4, 4, 3])}), /output must be \[2, 4, 4, 3\], got \[1, 4, 4, 3\]/),
		badType((make) => ({mean: make([6, 5, 3], 'bfloat16')}), /mean must be float32, got bfloat16/),
	],
});
