import {operations} from '../../lib/ops.ts';
import {realTypes} from '../../lib/selftest/bfloat16.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {badType, testRefusals} from '../helpers/refusals.ts';
import {Sums} from '../../lib/selftest/tolerance.ts';
import {assertClose} from '../helpers/tolerance.ts';

const shapes: {shape: number[]; misaligned?: true}[] = [
	{shape: [3, 13, 13, 40]},
	{shape: [1]},
	{shape: [5, 37], misaligned: true},
];

for (const dataType of realTypes) {
	for (const {shape, misaligned} of shapes) {
		for (const inPlace of [false, true]) {
			const title = `add ${dataType} [${shape.join(', ')}]${misaligned ? ', views' : ''}${inPlace ? ', in place' : ''}`;
			forEachDevice(
				title,
				async (t, bench) => {
					const length = shape.reduce((a, b) => a * b);
					const [one, other] = [0, 1].map(() => bench.random.values(length, 1, dataType)) as [
						Float64Array,
						Float64Array,
					];
					const input = inPlace ? bench.inPlace(shape, dataType, one) : bench.input(shape, dataType, one);
					const output = inPlace ? input : bench.output(shape, dataType);
					operations.add({input, addend: bench.input(shape, dataType, other), output});
					const expected = new Sums(length);
					for (let index = 0; index < length; index++) {
						expected.add(index, one[index]!);
						expected.add(index, other[index]!);
					}
					// One addition in fp32, and the rounding to the output's type that the bound adds.
					assertClose(t, 'output', await bench.read(output), expected, dataType, () => 1);
				},
				{misaligned},
			);
		}
	}
}

testRefusals('add', {
	tensors: (make) => ({input: make([3, 5]), addend: make([3, 5]), output: make([3, 5])}),
	refused: [badType((make) => ({input: make([3, 5], 'bfloat16')}), /addend must be bfloat16, got float32/)],
});
