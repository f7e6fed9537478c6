import type {DataType} from '../../lib/device/native.ts';
import {operations} from '../../lib/ops.ts';
import {realTypes, roundTo} from '../../lib/selftest/bfloat16.ts';
import {forEachDevice} from '../helpers/devices.ts';
import type {Random} from '../../lib/selftest/random.ts';
import {badArgument, badType, testRefusals} from '../helpers/refusals.ts';
import {assertEqual} from '../helpers/tolerance.ts';

const shapes: {shape: number[]; misaligned?: true}[] = [
	{shape: [3, 11, 11, 48]},
	{shape: [7, 37]},
	{shape: [1]},
	{shape: [5, 13], misaligned: true},
];

const draws: Record<DataType, (random: Random, length: number) => Float64Array> = {
	float32: (random, length) => random.values(length, 1000, 'float32'),
	bfloat16: (random, length) => random.values(length, 1000, 'bfloat16'),
	// Of all sizes: beyond 2^24 not every integer is an fp32 number.
	int32: (random, length) =>
		Float64Array.from({length}, () => (random.integer(2 ** 32) - 2 ** 31) >> random.integer(31)),
	uint8: (random, length) => Float64Array.from({length}, () => random.integer(256)),
};

for (const [from, to] of [
	['float32', 'bfloat16'],
	['bfloat16', 'float32'],
	['float32', 'float32'],
	['bfloat16', 'bfloat16'],
	['uint8', 'float32'],
	['int32', 'float32'],
] as const) {
	for (const {shape, misaligned} of shapes) {
		const title = `cast ${from} to ${to} [${shape.join(', ')}]${misaligned ? ', views' : ''}`;
		forEachDevice(
			title,
			async (t, bench) => {
				const values = draws[from](
					bench.random,
					shape.reduce((a, b) => a * b),
				);
				const output = bench.output(shape, to);
				operations.cast({input: bench.input(shape, from, values), output});
				const expected = values.map((x) => roundTo(to, x));
				assertEqual(t, 'output', await bench.read(output), expected);
			},
			{misaligned},
		);
	}
}

forEachDevice(
	'cast float32 to bfloat16: ties go to even, large numbers to infinity, NaN stays NaN',
	async (t, bench) => {
		const step = 2 ** -7; // between bf16 numbers from 1 to 2
		const pairs = [
			[1 + step / 2, 1],
			[1 + (3 * step) / 2, 1 + 2 * step],
			[-1 - step / 2, -1],
			[1 + step / 2 + 2 ** -23, 1 + step],
			[1 + (3 * step) / 2 - 2 ** -23, 1 + step],
			[3.4028234663852886e38, Infinity],
			[-3.4028234663852886e38, -Infinity],
			[3.3895313892515355e38, 3.3895313892515355e38],
			[Infinity, Infinity],
			[-Infinity, -Infinity],
			[NaN, NaN],
			[2 ** -126, 2 ** -126],
		] as const;
		const output = bench.output([pairs.length], 'bfloat16');
		const inputs = pairs.map(([input]) => input);
		operations.cast({input: bench.input([pairs.length], 'float32', inputs), output});
		assertEqual(
			t,
			'output',
			await bench.read(output),
			Float64Array.from(pairs, ([, expected]) => expected),
		);
	},
);

for (const dataType of realTypes) {
	for (const {shape, misaligned} of shapes) {
		forEachDevice(
			`fill ${dataType} [${shape.join(', ')}]${misaligned ? ', views' : ''}`,
			async (t, bench) => {
				const length = shape.reduce((a, b) => a * b);
				for (const value of [-1.2345678, 0, 1]) {
					const output = bench.output(shape, dataType);
					operations.fill({output, value});
					const expected = new Float64Array(length).fill(roundTo(dataType, value));
					assertEqual(t, `${value}`, await bench.read(output), expected);
				}
			},
			{misaligned},
		);
	}
}

testRefusals('cast', {
	tensors: (make) => ({input: make([3, 5]), output: make([3, 5], 'bfloat16')}),
	anyType: ['input'],
	refused: [
		badType((make) => ({input: make([3, 5], 'uint8')}), /output must be float32, got bfloat16/),
		badType((make) => ({input: make([3, 5], 'int32')}), /output must be float32, got bfloat16/),
	],
});
testRefusals('fill', {
	tensors: (make) => ({output: make([3, 5])}),
	options: {value: 1},
	anyShape: ['output'],
	refused: [badArgument({value: NaN}, /value must be a finite number/)],
});
