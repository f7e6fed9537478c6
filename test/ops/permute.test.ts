import {operations} from '../../lib/ops.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {box, permute} from '../../lib/selftest/reference/permute.ts';
import {badArgument, badShape, testRefusals} from '../helpers/refusals.ts';
import {assertEqual} from '../helpers/tolerance.ts';
import {testCases} from '../helpers/cases.ts';

testCases('permute');

const boxes = [
	{title: 'rows', large: [7, 5, 3, 3], start: [2, 0, 0, 0], size: [4, 5, 3, 3]},
	{title: 'channels', large: [6, 10, 3, 5], start: [0, 5, 0, 0], size: [6, 5, 3, 5]},
	{title: 'the inside of all four', large: [5, 6, 7, 8], start: [1, 2, 3, 1], size: [3, 2, 3, 5]},
	{title: 'the last element', large: [3, 3, 3, 3], start: [2, 2, 2, 2], size: [1, 1, 1, 1]},
	{title: 'a matrix', large: [40, 34, 1, 1], start: [20, 17, 0, 0], size: [20, 17, 1, 1]},
];

for (const {title, large, start, size} of boxes) {
	for (const axes of [
		[0, 1, 2, 3],
		[0, 2, 3, 1],
		[3, 1, 0, 2],
	]) {
		forEachDevice(`permute into a box, ${title}, [${axes.join(', ')}]`, async (t, bench) => {
			const values = bench.random.values(
				size.reduce((a, b) => a * b),
				1,
				'float32',
			);
			const input = permute(size, axes, values);
			const back = [0, 1, 2, 3].map((axis) => axes.indexOf(axis));
			const length = large.reduce((a, b) => a * b);
			const output = bench.inPlace(large, 'float32', new Float64Array(length).fill(-7));
			operations.permute({
				input: bench.input(input.shape, 'float32', input.values),
				...{output, axes: back, outputStart: start},
			});
			const all = await bench.read(output);
			assertEqual(t, 'inside', box(large, start, size, all), values);
			t.is(all.filter((value) => value === -7).length, length - values.length, 'what lies around the box stays');
		});
	}
}

testRefusals('permute', {
	tensors: (make) => ({input: make([2, 3, 4, 5]), output: make([2, 5, 3, 4])}),
	options: {axes: [0, 3, 1, 2]},
	refused: [
		badArgument({axes: [0, 1, 2]}, /axes must name 4 dimensions/),
		badArgument({axes: [0, 1, 2, 4]}, /axes must be a permutation of 0, 1, 2, 3/),
		badArgument({axes: [0, 1, -1, 2]}, /axes must be a permutation of 0, 1, 2, 3/),
		badArgument({axes: [0, 3, 3, 2]}, /axes must be a permutation of 0, 1, 2, 3/),
		badArgument({axes: 'nhwc'}, /axes must be an array of integers/),
		badArgument((make) => {
			const tensor = make([2, 3, 4, 5]);
			return {input: tensor, output: tensor, axes: [0, 1, 2, 3]};
		}, /output must not be input/),
		badShape((make) => ({output: make([2, 5, 3, 3])}), /output must be \[2, 5, 3, 4\], got \[2, 5, 3, 3\]/),
		badArgument({inputStart: [0, 0, 0, 1]}, /a box of \[2, 3, 4, 5\] from inputStart on leaves \[2, 3, 4, 5\]/),
		badArgument({outputStart: [0, -1, 0, 0]}, /a box of \[2, 5, 3, 4\] from outputStart on leaves \[2, 5, 3, 4\]/),
		badArgument({inputStart: [0, 0, 0]}, /inputStart must have 4 numbers/),
		badArgument({inputStart: [0, 0, 0, 0], outputStart: [0, 0, 0, 0]}, /either inputStart or outputStart/),
	],
});
