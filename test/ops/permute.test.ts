import {operations} from '../../lib/ops.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {permute} from '../helpers/reference/permute.ts';
import {badArgument, testRefusals} from '../helpers/refusals.ts';
import {assertEqual} from '../helpers/tolerance.ts';

function permutations(items: number[]): number[][] {
	if (items.length < 2) return [items];
	return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}

const cases: {title: string; shape: number[]; all: number[][]; misaligned?: true}[] = [
	{title: 'every order of four odd dimensions', shape: [3, 5, 7, 9], all: permutations([0, 1, 2, 3])},
	{
		title: 'convolution weights to and from files',
		shape: [48, 5, 5, 48],
		all: [
			[0, 3, 1, 2],
			[0, 2, 3, 1],
		],
	},
	{
		title: 'dimensions of one',
		shape: [1, 17, 1, 33],
		all: [
			[0, 3, 1, 2],
			[3, 2, 1, 0],
		],
	},
	{title: 'one element', shape: [1, 1, 1, 1], all: [[0, 3, 1, 2]]},
	{
		title: 'views',
		shape: [2, 6, 6, 19],
		all: [
			[0, 3, 1, 2],
			[1, 0, 3, 2],
		],
		misaligned: true,
	},
];

for (const {title, shape, all, misaligned} of cases) {
	forEachDevice(
		`permute: ${title}`,
		async (t, bench) => {
			const length = shape.reduce((a, b) => a * b);
			for (const axes of all) {
				const values = bench.random.values(length, 1, 'float32');
				const expected = permute(shape, axes, values);
				const output = bench.output(expected.shape, 'float32');
				operations.permute({input: bench.input(shape, 'float32', values), output, axes});
				assertEqual(t, `[${axes.join(', ')}]`, await bench.read(output), expected.values);
			}
		},
		{misaligned},
	);
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
	],
});
