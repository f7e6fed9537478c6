// A step of any batch on a GPU that is not here: what the report card says of 128, and what is listed of one picture.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {gpus} from '../../benchmarks/gpus.ts';
import {readFacts, type Facts} from '../../benchmarks/kernel-facts.ts';
import {modelOf} from '../../benchmarks/model.ts';
import {modelledStep} from '../../benchmarks/modelled-step.ts';
import {operationTrial} from '../../benchmarks/trials.ts';
import {secondsOf} from '../../lib/scaling/rank-step.ts';
import {root} from '../helpers/sources.ts';

const facts = readFacts();
const precisions = ['fp32', 'bf16'] as const;
const known = gpus.filter(({name}) => name !== 'RTX 5090'); // nobody has counted its instructions

test('of 128 pictures it is the step of the report card', (t) => {
	const card = readFileSync(join(root, 'cuda/README.md'), 'utf8');
	for (const {name} of known) {
		const [, fp32, bf16] = new RegExp(`^\\| ${name} +\\| ([\\d.]+) +\\| ([\\d.]+) +\\|`, 'm').exec(card) ?? [];
		const told = precisions.map((precision) => (1000 * secondsOf(modelledStep(name, precision)(128))).toFixed(2));
		t.deepEqual(told, [fp32, bf16], name);
	}
});

test('one picture’s forward pass is within a third of what its own launches give', (t) => {
	for (const gpu of known) {
		for (const precision of precisions) {
			const listed = facts.operations
				.filter((each) => each.precision === precision && each.batchSize === 1)
				.filter((each) => each.computeCapability === gpu.computeCapability)
				.map((each) => modelOf(each, facts, operationTrial(each.trial, 1, precision), gpu)?.microseconds ?? NaN)
				.reduce((sum, microseconds) => sum + microseconds, 0);
			const {forward} = modelledStep(gpu.name, precision)(1);
			const ratio = (1e6 * forward.reduce((sum, seconds) => sum + seconds, 0)) / listed;
			t.true(ratio > 2 / 3 && ratio < 4 / 3, `${gpu.name}, ${precision}: ${ratio}`);
		}
	}
});

test('more pictures take longer, and each less; the update is the same', (t) => {
	for (const {name} of known) {
		const stepOf = modelledStep(name, 'bf16');
		for (const pictures of [1, 2, 3, 8, 50, 128, 1000]) {
			const [fewer, more] = [stepOf(pictures), stepOf(2 * pictures)];
			t.true(secondsOf(more) > secondsOf(fewer) && secondsOf(more) < 2 * secondsOf(fewer), `${name} ${pictures}`);
			t.is(more.update, fewer.update);
		}
	}
});

const passes: Readonly<Record<string, string>> = {
	'lrn1-pool1-forward': 'lrn1-forward',
	'lrn1-pool1-backward': 'lrn1-backward',
	'lrn2-pool2-forward': 'lrn2-forward',
	'lrn2-pool2-backward': 'lrn2-backward',
	'conv5-pool5-backward': 'pool5-backward',
};

/** Facts without the operations in one pass, and with them: as long as those that they replace. */
function factsOfBoth({operations, ...rest}: Facts): [Facts, Facts] {
	const apart = operations.filter(({trial}) => !(trial in passes));
	const added = Object.entries(passes).flatMap(([trial, like]) =>
		apart.filter((each) => each.trial === like).map((each) => ({...each, trial})),
	);
	return [
		{...rest, operations: apart},
		{...rest, operations: [...apart, ...added]},
	];
}

test('operations in one pass take the place of those by themselves where they are known', (t) => {
	const [apart, together] = factsOfBoth(facts).map((given) => modelledStep('H100', 'bf16', given)(128));
	t.deepEqual(together!.forward.slice(2), apart!.forward.slice(2));
	// What LRN and pooling hand each other needs no memory.
	t.true(together!.forward[0]! < apart!.forward[0]! && together!.backward[1]! < apart!.backward[1]!);
	t.true(together!.backward[4]! < apart!.backward[4]!);
});

test('what cannot be modelled is refused, with what to do', (t) => {
	const refused = {code: 'ALEXNET_ARGUMENT'};
	t.throws(() => modelledStep('H1000', 'fp32'), {...refused, message: /There are: T4, /});
	t.throws(() => modelledStep('RTX 5090', 'fp32'), {...refused, message: /RTX 5090 \(12\.0\).*give stepMs\.$/});
	t.throws(() => modelledStep('T4', 'tf32'), {...refused, message: /in tf32 on T4/});
});

test('none of it has loaded the addon', (t) => {
	const {sharedObjects} = process.report.getReport() as unknown as {sharedObjects: string[]};
	t.true(sharedObjects.length > 0);
	t.deepEqual(
		sharedObjects.filter((path) => path.endsWith('alexnet.node')),
		[],
	);
});
