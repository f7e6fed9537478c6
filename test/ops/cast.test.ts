import {operations} from '../../lib/ops.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {badArgument, badType, testRefusals} from '../helpers/refusals.ts';
import {assertEqual} from '../helpers/tolerance.ts';
import {testCases} from '../helpers/cases.ts';

testCases('cast', 'fill');

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
