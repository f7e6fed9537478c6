import {operations} from '../../lib/ops.ts';
import {realTypes} from '../../lib/selftest/bfloat16.ts';
import {forEachDevice} from '../helpers/devices.ts';
import type {Random} from '../../lib/selftest/random.ts';
import {augment, type AugmentGeometry} from '../../lib/selftest/reference/augment.ts';
import {badShape, badType, testRefusals} from '../helpers/refusals.ts';
import {assertClose} from '../helpers/tolerance.ts';

interface Case extends AugmentGeometry {
	title: string;
	misaligned?: true;
}

const cases: Case[] = [
	{title: 'as in training', images: 9, picture: [32, 32], crop: [28, 28]},
	{title: 'a tall crop of a wide picture', images: 5, picture: [13, 21], crop: [11, 5]},
	{title: 'whole pictures', images: 4, picture: [9, 7], crop: [9, 7]},
	{title: 'one picture', images: 1, picture: [17, 17], crop: [16, 16]},
	{title: 'one pixel', images: 6, picture: [3, 4], crop: [1, 1]},
	{title: 'views', images: 4, picture: [12, 11], crop: [7, 9], misaligned: true},
];

/** views [N, 6]: corners at random but for the extreme ones, every other picture mirrored, a colour each. */
function drawViews(random: Random, {images, picture, crop}: AugmentGeometry): Float64Array {
	return Float64Array.from(
		Array.from({length: images}, (_, n) => {
			const [lastTop, lastLeft] = [picture[0] - crop[0], picture[1] - crop[1]];
			const corners = [
				[0, 0],
				[lastTop, lastLeft],
			];
			const [top, left] = corners[n] ?? [random.integer(lastTop + 1), random.integer(lastLeft + 1)];
			return [top!, left!, n % 2, ...random.values(3, 20, 'float32')];
		}).flat(),
	);
}

for (const dataType of realTypes) {
	for (const {title, misaligned, ...geometry} of cases) {
		forEachDevice(
			`augment ${dataType}: ${title}`,
			async (t, bench) => {
				const {images, picture, crop} = geometry;
				const pixels = Uint8Array.from({length: images * picture[0] * picture[1] * 3}, () => bench.random.integer(256));
				const mean = bench.random.values(picture[0] * picture[1] * 3, 128, 'float32');
				const views = drawViews(bench.random, geometry);
				const output = bench.output([images, ...crop, 3], dataType);
				operations.augment({
					images: bench.input([images, ...picture, 3], 'uint8', pixels),
					views: bench.input([images, 6], 'float32', views),
					mean: bench.input([...picture, 3], 'float32', mean),
					output,
				});
				// A pixel is exact in fp32; two additions.
				const expected = augment(geometry, pixels, views, mean);
				assertClose(t, 'output', await bench.read(output), expected, dataType, () => 2);
			},
			{misaligned},
		);
	}
}

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
