// No training step and no exchange that is wrong gets past the selftest.
import test from 'ava';
import type {Operations} from '../../lib/device/operations.ts';
import type {Tensor} from '../../lib/device/tensor.ts';
import {operations} from '../../lib/ops.ts';
import {checkSteps, smallStep} from '../../lib/selftest/check-steps.ts';
import {checkExchange} from '../../lib/selftest/exchange.ts';
import {Random} from '../../lib/selftest/random.ts';
import type {TestResult} from '../../lib/selftest/result.ts';
import {TestedDevice} from '../../lib/selftest/tested-device.ts';
import {takeStep, type StepOutcome, type TakeStep} from '../../lib/selftest/training-step.ts';
import {gather, namesOf, openCpu, perturbed, replace, tools} from '../helpers/faulty-subject.ts';

/** A step that is as the CPU's but on cpu:1, where it is changed. */
function stepWith(change: (outcome: StepOutcome, call: number) => StepOutcome): TakeStep {
	let calls = 0;
	return async (task, devices) => {
		const outcome = await takeStep(task, devices);
		return devices[0] === 'cpu:1' ? change(outcome, calls++) : outcome;
	};
}

async function step(take: TakeStep): Promise<TestResult> {
	using device = new TestedDevice('cpu:1', openCpu);
	const [result] = await gather(checkSteps([[device]], smallStep, {...tools, takeStep: take}));
	return result!;
}

/** Moves an element by a share of what its tensor's norm is. */
function moved(values: ReadonlyMap<string, Float32Array>, name: string, share: number): Map<string, Float32Array> {
	const changed = Float32Array.from(values.get(name)!);
	const norm = Math.hypot(...changed);
	changed[changed.length - 1]! += share * norm;
	return new Map(values).set(name, changed);
}

test.serial('a step passes where it is right, and fails with another loss, gradient or weight', async (t) => {
	t.is((await step(stepWith((outcome) => outcome))).outcome, 'passed');
	const wrong: readonly [string, (outcome: StepOutcome) => StepOutcome, RegExp][] = [
		['loss', (outcome) => ({...outcome, loss: outcome.loss * 1.1}), /^loss: \S+, expected/],
		[
			'gradient',
			(outcome) => ({...outcome, gradients: moved(outcome.gradients, 'conv3.weight', 0.1)}),
			/^gradient of conv3\.weight: .* furthest is element 3455: \S+, expected/,
		],
		['weight', (outcome) => ({...outcome, after: moved(outcome.after, 'fc8.bias', 0.1)}), /^new fc8\.bias: /],
		['no update', (outcome) => ({...outcome, after: outcome.before}), /^new /],
		['NaN', (outcome) => ({...outcome, gradients: moved(outcome.gradients, 'fc5.bias', NaN)}), /no finite distance/],
	];
	for (const [name, change, message] of wrong) {
		const result = await step(stepWith(change));
		t.is(result.outcome, 'failed', name);
		t.regex(result.failures[0]!.message, message);
	}
});

test.serial('where the CPU cannot take the step, it is said', async (t) => {
	const result = await step((task, devices) =>
		devices[0] === 'cpu:0' ? Promise.reject(new Error('Out of memory')) : takeStep(task, devices),
	);
	t.deepEqual([result.outcome, result.note], ['not run', 'the CPU could not take the step: Out of memory']);
});

test.serial('a step that gives other bits the second time fails', async (t) => {
	const {failures} = await step(
		stepWith((outcome, call) => ({...outcome, loss: outcome.loss * (1 + 1e-7 * (call % 2))})),
	);
	t.regex(failures[0]!.message, /other bits/);
});

test.serial('a kink that one draw of pictures meets is told, and no failure', async (t) => {
	const once = stepWith((outcome, call) => {
		return call < 2 ? {...outcome, gradients: moved(outcome.gradients, 'conv1.weight', 1e-4)} : outcome;
	});
	const result = await step(once);
	t.is(result.outcome, 'passed');
	t.is(result.note, 'fp32: as the CPU with the second pictures only');
});

test.serial('an exchange that is wrong fails', async (t) => {
	using first = new TestedDevice('cpu:0', openCpu);
	using second = new TestedDevice('cpu:1', openCpu);
	const exchange = (subject: Operations): Promise<TestResult[]> =>
		gather(checkExchange([first, second], {...tools, operations: subject}));
	const right = await exchange(operations);
	t.deepEqual(
		right.map(({on, outcome}) => [on, outcome]),
		[
			['cpu:0 → cpu:1', 'passed'],
			['cpu:1 → cpu:0', 'passed'],
			['cpu:0 ↔ cpu:1', 'passed'],
		],
	);
	const random = new Random(t.title);
	const copies = await exchange(perturbed('copy', 'output', random));
	t.true(copies.every(({outcome}) => outcome === 'failed'));
	// What is sent is lost once.
	let sent = 0;
	const lost = await exchange(
		replace('send', (options: {input: Tensor; output: Tensor}, original) => {
			const input = sent++ === 7 ? options.output : options.input;
			return input === options.output ? first.device.record() : original(options);
		}),
	);
	t.deepEqual(namesOf(lost, 'failed'), ['exchange']);
	t.is(lost[2]!.outcome, 'failed');
});
