import {operations} from '../../lib/ops.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {badType, testRefusals} from '../helpers/refusals.ts';
import {assertEqual} from '../helpers/tolerance.ts';
import {testCases} from '../helpers/cases.ts';

testCases('softmax', 'softmaxLoss');

forEachDevice('softmaxLoss without gradient', async (t, bench) => {
	const logits = bench.random.values(6 * 13, 3, 'float32');
	const labels = Int32Array.from({length: 6}, () => bench.random.integer(13));
	const input = {
		logits: bench.input([6, 13], 'float32', logits),
		labels: bench.input([6], 'int32', labels),
	};
	const withGradient = bench.output([3], 'float32');
	const without = bench.output([3], 'float32');
	operations.softmaxLoss({...input, result: withGradient, gradient: bench.output([6, 13], 'float32')});
	operations.softmaxLoss({...input, result: without});
	assertEqual(t, 'result', await bench.read(without), await bench.read(withGradient));
});

forEachDevice('softmaxLoss counts a picture with a logit that is not a number as wrong', async (t, bench) => {
	const classes = 8;
	const rows = [
		[0, 1, 2, 3, 4, 5, 6, 7], // right: label 7
		[0, 1, 2, 3, 4, 5, 6, NaN], // its own logit
		[NaN, 1, 2, 3, 4, 5, 6, 7], // another
		new Array<number>(classes).fill(NaN),
	];
	const result = bench.output([3], 'float32');
	operations.softmaxLoss({
		logits: bench.input([rows.length, classes], 'float32', rows.flat()),
		labels: bench.input([rows.length], 'int32', [7, 7, 7, 0]),
		result,
	});
	assertEqual(t, 'result', await bench.read(result), Float64Array.of(NaN, 1, 1));
});

for (const label of [-1, 5, 0x7fffffff]) {
	forEachDevice(`softmaxLoss refuses the label ${label} of 5 classes, and then works again`, async (t, bench) => {
		const logits = bench.input([3, 5], 'float32', bench.random.values(15, 2, 'float32'));
		const result = bench.output([3], 'float32');
		operations.softmaxLoss({logits, labels: bench.input([3], 'int32', [0, label, 4]), result});
		const error = await t.throwsAsync(bench.device.synchronize(), {code: 'ALEXNET_LABEL'});
		t.regex(error.message, /^softmaxLoss: /);
		t.true(error.message.includes(String(label)), error.message);
		operations.softmaxLoss({logits, labels: bench.input([3], 'int32', [0, 2, 4]), result});
		t.true((await bench.read(result)).every(Number.isFinite));
	});
}

testRefusals('softmaxLoss', {
	tensors: (make) => ({
		logits: make([3, 5]),
		labels: make([3], 'int32'),
		result: make([3]),
		gradient: make([3, 5]),
	}),
	optional: ['gradient'],
	refused: [badType((make) => ({logits: make([3, 5], 'bfloat16')}), /logits must be float32, got bfloat16/)],
});
testRefusals('softmax', {
	tensors: (make) => ({logits: make([3, 5]), probabilities: make([3, 5])}),
	refused: [
		badType((make) => ({probabilities: make([3, 5], 'bfloat16')}), /probabilities must be float32, got bfloat16/),
	],
});

forEachDevice('no probability is above 1, however large the logits are', async (t, bench) => {
	for (const scale of [1, 30, 1e4, 3e38]) {
		const [images, classes] = [50, 7];
		const values = bench.random.values(images * classes, scale, 'float32');
		values.set(values.subarray(0, 3), 3); // equal ones share
		const probabilities = bench.output([images, classes], 'float32');
		operations.softmax({logits: bench.input([images, classes], 'float32', values), probabilities});
		const found = await bench.read(probabilities);
		t.true(
			found.every((probability) => probability >= 0 && probability <= 1),
			`${Math.max(...found)} at ${scale}`,
		);
		for (let row = 0; row < images; row++) {
			const sum = found.subarray(row * classes, (row + 1) * classes).reduce((a, b) => a + b);
			t.true(Math.abs(sum - 1) <= classes * 2 ** -23, `row ${row} sums to ${sum} at ${scale}`);
		}
	}
});
