// Colour, orientation and frequency of kernels that are made to have them, at parameters drawn anew in every run.
import test from 'ava';
import {measureKernels, type KernelMeasures} from '../../lib/run/kernel-measures.ts';
import {Random} from '../../lib/selftest/random.ts';

const size = 11;
const seed = String(Math.random());
const random = new Random(seed);
const between = (least: number, most: number): number => least + (most - least) * random.uniform();

/** [3, size, size] from the value of each channel at each place, the middle of the kernel at (0, 0). */
function kernel(value: (x: number, y: number, channel: number) => number): Float32Array {
	const middle = (size - 1) / 2;
	return Float32Array.from({length: 3 * size * size}, (_, index) => {
		const [channel, row, column] = [Math.floor(index / size ** 2), Math.floor(index / size) % size, index % size];
		return value(column - middle, row - middle, channel);
	});
}

async function measure(kernels: readonly Float32Array[], columns = 1): ReturnType<typeof measureKernels> {
	const weights = Float32Array.from(kernels.flatMap((each) => [...each]));
	return measureKernels({weights, count: kernels.length, channels: 3, size, columns});
}

async function measureOne(weights: Float32Array): Promise<KernelMeasures> {
	return (await measure([weights])).kernels[0]!;
}

interface Grating {
	frequency: number;
	/** Of the stripes, in degrees as one sees them. */
	orientation: number;
	colour: readonly number[];
}

/** A wave that fades towards the edges. */
function grating({frequency, orientation, colour}: Grating, fades: number): Float32Array {
	const along = ((orientation - 90) / 180) * Math.PI;
	const phase = between(0, 2 * Math.PI);
	return kernel((x, y, channel) => {
		const angle = 2 * Math.PI * frequency * (x * Math.cos(along) - y * Math.sin(along)) + phase;
		return colour[channel]! * Math.cos(angle) * Math.exp(-(x ** 2 + y ** 2) / (2 * fades ** 2));
	});
}

/** Of two directions, which 180 degrees make the same. */
function angleBetween(one: number, two: number): number {
	const difference = Math.abs(one - two) % 180;
	return Math.min(difference, 180 - difference);
}

// The grid of frequencies has a step of 1 / (4 * 11), and a peak is found to a fraction of that. It lies where the wave's
// is, but for the mirror image's share there: 2f * exp(-(2 pi * fades * 2f)^2 / 2), or 0.00002 for what is drawn below; and
// for the mean's, which is taken off: of 7,500 drawn waves it moved those from 0.22 on by half of the bound at most, slower
// ones by up to twice the bound.
const frequencyBound = 1 / 4 / size / 10;

for (const [name, colour] of [
	['grey', [1, 1, 1]],
	['opponent colours', [1, -1, 0]],
	['a colour drawn anew', [between(-1, 1), between(-1, 1), between(0.2, 1)]],
] as const) {
	test(`gratings of ${name} have the orientation and frequency that they were made with, ${seed}`, async (t) => {
		for (let time = 0; time < 20; ++time) {
			const made = {frequency: between(0.22, 0.35), orientation: between(0, 180), colour};
			const found = await measureOne(grating(made, between(1.8, 2.1)));
			const {frequency = NaN, orientation = NaN} = found;
			t.true(Math.abs(frequency - made.frequency) < frequencyBound, `${frequency} for ${made.frequency}`);
			// An error across the wave turns it.
			const turn = (Math.atan(frequencyBound / made.frequency) * 180) / Math.PI;
			t.true(angleBetween(orientation, made.orientation) < turn, `${orientation} for ${made.orientation}`);
			t.true(orientation >= 0 && orientation < 180);
		}
	});
}

test('stripes lie as one sees them', async (t) => {
	const horizontal = await measureOne(kernel((_, y) => Math.cos(1.5 * y)));
	const vertical = await measureOne(kernel((x) => Math.cos(1.5 * x)));
	const rising = await measureOne(kernel((x, y) => Math.cos(1.2 * (x + y))));
	t.true(angleBetween(horizontal.orientation!, 0) < 1);
	t.true(angleBetween(vertical.orientation!, 90) < 1);
	t.true(angleBetween(rising.orientation!, 45) < 1, 'x + y is the same from the lower left to the upper right');
});

test('grey has no colour energy, opponent colours have nothing else, and mixtures as much as was mixed', async (t) => {
	const shape = grating({frequency: 0.2, orientation: between(0, 180), colour: [1, 1, 1]}, 2);
	const pixels = size ** 2;
	const coloured = (colour: readonly number[]): Float32Array =>
		shape.map((value, index) => value * colour[Math.floor(index / pixels)]!);
	t.true((await measureOne(coloured([1, 1, 1]))).colourEnergy! < 1e-6);
	const [red, green] = [between(-1, 1), between(-1, 1)];
	t.true((await measureOne(coloured([red, green, -red - green]))).colourEnergy! > 1 - 1e-6);
	for (let time = 0; time < 10; ++time) {
		const share = random.uniform();
		// Unit vectors along the grey axis and at right angles to it.
		const [grey, colour] = [Math.sqrt((1 - share) / 3), Math.sqrt(share / 2)];
		const {colourEnergy = NaN} = await measureOne(coloured([grey + colour, grey - colour, grey]));
		t.true(Math.abs(colourEnergy - share) < 1e-6, `${colourEnergy} for ${share}`);
	}
});

test('noise has two thirds of its energy off the grey axis', async (t) => {
	const normal = (): number => Math.sqrt(-2 * Math.log(random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
	const {columns} = await measure(Array.from({length: 96}, () => kernel(normal)));
	// 96 x 121 pixels: the share's deviation is sqrt(2/9 * 2/3 / pixels), and this is seven of them.
	t.true(Math.abs(columns[0]!.colourEnergy! - 2 / 3) < 0.025, `${columns[0]!.colourEnergy}`);
});

test('a kernel that is the same everywhere has colour and no stripes; one of zeros has neither', async (t) => {
	const flat = await measureOne(kernel((_x, _y, channel) => [0.3, -0.3, 0][channel]!));
	t.deepEqual({...flat, colourEnergy: 1}, {kernel: 0, column: 0, colourEnergy: 1, frequency: 0});
	t.true(flat.colourEnergy! > 1 - 1e-6);
	t.deepEqual(await measureOne(kernel(() => 0)), {kernel: 0, column: 0});
});

test('columns have the means of their own kernels, those of zeros left out', async (t) => {
	const edge = grating({frequency: 0.25, orientation: 30, colour: [1, 1, 1]}, 2);
	const hue = grating({frequency: 0.15, orientation: 60, colour: [1, -1, 0]}, 2);
	const {columns, kernels} = await measure([edge, edge, hue, kernel(() => 0)], 2);
	t.deepEqual(
		kernels.map(({column}) => column),
		[0, 0, 1, 1],
	);
	t.like(columns, [
		{column: 0, kernels: 2},
		{column: 1, kernels: 2},
	]);
	t.true(columns[0]!.colourEnergy! < 1e-6);
	t.is(columns[1]!.colourEnergy, kernels[2]!.colourEnergy);
	t.is(columns[1]!.frequency, kernels[2]!.frequency);
	const {columns: zeros} = await measure([kernel(() => 0)]);
	t.deepEqual(zeros, [{column: 0, kernels: 1}]);
});

test('kernels that do not see three colours are refused', async (t) => {
	const kernels = {weights: new Float32Array(2 * size ** 2), count: 1, channels: 2, size, columns: 1};
	await t.throwsAsync(measureKernels(kernels), {code: 'ALEXNET_ARGUMENT', message: /2 channels/});
});
