import {alexnet} from '../net/alexnet.ts';
import type {Architecture} from '../net/architecture.ts';
import {meetingNet} from './networks.ts';
import {Tally, type TestResult} from './result.ts';
import {TestedDevice} from './tested-device.ts';
import {unitRoundoff} from './tolerance.ts';
import {
	compareSteps,
	drawTask,
	isSame,
	stepBound,
	type StepOutcome,
	type StepPrecision,
	type StepTask,
	type TakeStep,
} from './training-step.ts';

export interface StepTest {
	readonly name: string;
	readonly architecture: Architecture;
	/** Pictures of a batch. */
	readonly images: number;
	/**
	 * How often other pictures are tried after a difference. A ReLU's input or the lead of a window's maximum may be
	 * smaller than rounding, about once in a hundred steps of a small net; then a gradient differs by more than rounding.
	 * What is wrong differs with any pictures.
	 */
	readonly draws: number;
	/** What such kinks may add, as a share of a gradient's norm. */
	readonly kinks: Readonly<Record<StepPrecision, number>>;
}

export const smallStep: StepTest = {
	name: 'training step',
	architecture: meetingNet(),
	images: 8,
	draws: 3,
	kinks: {fp32: 0, bf16: 0},
};

/**
 * The paper's net. Of its 1.6 million ReLUs and windows for two pictures some always lie within rounding of a kink. One
 * that tips over changes a gradient, a sum over conv1's 580,800 outputs, by about 1 / sqrt(580,800) of its norm; in fp32 a
 * hundred of either sign by ten times as much. In bf16 a share of up to u of a layer's tips over where halves from two
 * devices are rounded before they are added, which changes a gradient by about sqrt(u); so does each of the ten layers
 * with kinks.
 */
export const paperStep: StepTest = {
	name: "paper's step",
	architecture: alexnet({classes: 1000, init: 'source2012'}),
	images: 2,
	draws: 1,
	kinks: {fp32: 10 / Math.sqrt(2 * 55 * 55 * 96), bf16: Math.sqrt(10 * unitRoundoff.bfloat16)},
};

export interface StepOptions {
	readonly seed: number;
	readonly takeStep: TakeStep;
	readonly signal?: AbortSignal | undefined;
	readonly onProgress?: ((test: string) => void) | undefined;
}

/** Where the net is: on one device, or a column on each of two. */
type Placement = readonly TestedDevice[];

/** The step on every placement against the same on the CPU. */
export async function* checkSteps(
	placements: readonly Placement[],
	test: StepTest,
	options: StepOptions,
): AsyncGenerator<TestResult> {
	const places = placements.map((devices) => ({
		devices,
		tally: new Tally(devices.map(({id}) => id).join(' + '), test.name),
	}));
	for (const precision of ['fp32', 'bf16'] as const) {
		let open = places;
		for (let draw = 0; draw < test.draws && open.length > 0; draw++) {
			const title = [options.seed, test.name, precision, draw].join(' ');
			const task = drawTask(test.architecture, test.images, precision, title);
			options.onProgress?.(test.name);
			const expected = await onCpu(task, options.takeStep);
			if (expected instanceof Error) {
				for (const {tally} of open) tally.notRun(`the CPU could not take the step: ${expected.message}`);
				break;
			}
			const again: typeof places = [];
			for (const place of open) {
				options.signal?.throwIfAborted();
				const isLast = draw + 1 === test.draws;
				if (await differs(place.devices, place.tally, {task, expected, isLast, test, options})) again.push(place);
				else if (draw > 0) place.tally.note(`${precision}: as the CPU with the ${ordinals[draw] ?? ''} pictures only`);
			}
			open = again;
		}
	}
	for (const {tally} of places) yield tally.result;
}

/** What the CPU gives, or why it cannot: a machine may have less memory than its GPU. */
async function onCpu(task: StepTask, take: TakeStep): Promise<StepOutcome | Error> {
	try {
		return await take(task, ['cpu:0']);
	} catch (error) {
		return error instanceof Error ? error : new Error(String(error));
	}
}

const ordinals = ['first', 'second', 'third'];

interface Comparing {
	readonly task: StepTask;
	readonly expected: StepOutcome;
	/** Whether a difference is a failure. */
	readonly isLast: boolean;
	readonly test: StepTest;
	readonly options: StepOptions;
}

/** Whether the step must be tried with other pictures. */
async function differs(
	devices: Placement,
	tally: Tally,
	{task, expected, isLast, test, options}: Comparing,
): Promise<boolean> {
	const {precision} = task;
	let tryAgain = false;
	await TestedDevice.attempt(devices, tally, {precision, what: 'step'}, async () => {
		const ids = devices.map(({id}) => id);
		const actual = await options.takeStep(task, ids);
		if (!isSame(actual, await options.takeStep(task, ids))) {
			tally.failed(precision, 'step', 'the same step gave other bits the second time');
		}
		const comparison = compareSteps(expected, actual, boundOf(test, precision));
		tryAgain = comparison.failure !== undefined && !isLast;
		if (!tryAgain) tally.compared(precision, 'step', comparison);
	});
	return tryAgain;
}

function boundOf({architecture, kinks}: StepTest, precision: StepPrecision): {loss: number; tensors: number} {
	const rounding = stepBound(architecture, precision);
	return {loss: rounding, tensors: rounding + kinks[precision]};
}
