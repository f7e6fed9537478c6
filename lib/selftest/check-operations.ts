import type {NativeDevice} from '../device/native-device.ts';
import type {Operations} from '../device/operations.ts';
import type {OperationCase, Run} from './operation-case.ts';
import {Random} from './random.ts';
import {reportedAs, Tally, type TestResult} from './result.ts';
import {TestedDevice} from './tested-device.ts';
import {medianMilliseconds} from './timing.ts';
import {Workbench} from './workbench.ts';

export interface CheckOptions {
	readonly seed: number;
	readonly operations: Operations;
	/** Whether a device is a simulated one, whose time means nothing, and which is slow. */
	readonly isSimulated: (id: string) => boolean;
	readonly signal?: AbortSignal | undefined;
	readonly onProgress?: ((test: string) => void) | undefined;
}

/** Every operation on every device, with the same inputs on each. A result for each device follows each operation. */
export async function* checkOperations(
	devices: readonly TestedDevice[],
	byOperation: ReadonlyMap<string, readonly OperationCase[]>,
	options: CheckOptions,
): AsyncGenerator<TestResult> {
	const {seed, signal, onProgress} = options;
	for (const [operation, cases] of byOperation) {
		const tallies = devices.map((device) => ({device, tally: new Tally(device.id, operation)}));
		onProgress?.(operation);
		for (const one of cases) {
			const able = tallies.filter(({device}) => isFor(one, device, options));
			if (able.length === 0) continue;
			const run = await one.prepare(new Random([seed, operation, one.type, one.title].join(' ')));
			for (const {device, tally} of able) {
				signal?.throwIfAborted();
				const part = {precision: reportedAs(one), what: one.title};
				await TestedDevice.attempt([device], tally, part, () => checkCase(one, run, device.device, tally, options));
			}
		}
		for (const {tally} of tallies) yield tally.result;
	}
}

function isFor({fillsGpu, tf32}: OperationCase, device: TestedDevice, {isSimulated}: CheckOptions): boolean {
	if (fillsGpu && !(device.id.startsWith('cuda') && !isSimulated(device.id))) return false;
	return !tf32 || device.hasTf32;
}

async function checkCase(
	one: OperationCase,
	run: Run,
	device: NativeDevice,
	tally: Tally,
	{operations, isSimulated}: CheckOptions,
): Promise<void> {
	const precision = reportedAs(one);
	const bench = new Workbench(device, one.title, {misaligned: one.misaligned});
	try {
		const {call, outputs} = run(bench, operations);
		call();
		for (const {tensor, compare} of outputs) tally.compared(precision, one.title, compare(await bench.read(tensor)));
		if (!isSimulated(device.id)) tally.took(precision, await medianMilliseconds([device], call));
		for (const mistake of await bench.finish()) tally.failed(precision, one.title, mistake);
	} finally {
		bench.release();
	}
}
