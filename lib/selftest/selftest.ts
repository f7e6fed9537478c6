import {openDevice} from '../device/device.ts';
import {native} from '../device/native.ts';
import type {Operations} from '../device/operations.ts';
import {operationCases} from './cases/index.ts';
import {checkOperations} from './check-operations.ts';
import {checkSteps, paperStep, smallStep} from './check-steps.ts';
import {checkExchange, directionsOf} from './exchange.ts';
import {isSimulated} from './facts.ts';
import type {TestResult} from './result.ts';
import {TestedDevice, type Open} from './tested-device.ts';
import {takeStep, type TakeStep} from './training-step.ts';

export interface SelftestOptions {
	/** Ids, each once. */
	readonly devices: readonly string[];
	/** Decides all inputs. */
	readonly seed: number;
	/** Also the real shapes of AlexNet's layers, and a step of the paper's net. */
	readonly full?: boolean | undefined;
	/** Of CPUs, at most: those that are tested, and the one that a GPU's training step is compared with. */
	readonly threads?: number | undefined;
	readonly signal?: AbortSignal | undefined;
	/** Called with what is tested next, and how many of all results there are. */
	readonly onProgress?: ((test: string, done: number, total: number) => void) | undefined;
	/** What is tested: the package's own, where not said. */
	readonly subject?: Partial<Subject> | undefined;
}

export interface Subject {
	readonly open: Open;
	readonly operations: Operations;
	readonly takeStep: TakeStep;
}

/** The package's own. Only CPUs take a number of threads. */
function ownSubject(threads: number | undefined): Subject {
	const threadsOf = (...ids: readonly string[]): number | undefined => {
		return ids.every((id) => id.startsWith('cpu')) ? threads : undefined;
	};
	return {
		open: (id) => openDevice(id, {threads: threadsOf(id)}),
		operations: native,
		takeStep: (task, ids) => takeStep(task, ids, threadsOf(...ids)),
	};
}

/**
 * Checks that devices do what they must: every operation against its definition, a training step against the CPU device,
 * what devices send each other. A result at a time; a device that fails does not keep the others from being tested.
 */
export async function* selftest(options: SelftestOptions): AsyncGenerator<TestResult, void, undefined> {
	const {devices: ids, full = false, seed, signal, threads} = options;
	const {open, operations, takeStep} = {...ownSubject(threads), ...options.subject};
	const simulated = new Set(ids.filter(isSimulated));
	const devices = ids.map((id) => new TestedDevice(id, open));
	// A device that is alone exchanges with itself.
	const twins = ids.length === 1 ? ids.map((id) => new TestedDevice(id, open)) : [];
	const pairs = pairsOf([...devices, ...twins]);
	const placements = [...devices.map((device) => [device]), ...pairs];
	const cases = operationCases(full ? paperStep.architecture : undefined);
	const steps = full ? [smallStep, paperStep] : [smallStep];
	const exchanges = pairs.reduce((sum, pair) => sum + directionsOf(pair).length + 1, 0);
	const total = cases.size * devices.length + steps.length * placements.length + exchanges;
	let done = 0;
	const tools = {
		...{operations, takeStep, seed, signal},
		isSimulated: (id: string) => simulated.has(id),
		onProgress: (test: string) => options.onProgress?.(test, done, total),
	};
	try {
		for await (const result of allTests()) {
			++done;
			yield result;
		}
	} finally {
		for (const device of [...devices, ...twins]) device[Symbol.dispose]();
	}

	async function* allTests(): AsyncGenerator<TestResult> {
		yield* checkOperations(devices, cases, tools);
		for (const step of steps) yield* checkSteps(placements, step, tools);
		for (const pair of pairs) yield* checkExchange(pair, tools);
	}
}

/** Every two of a kind. */
function pairsOf(devices: readonly TestedDevice[]): [TestedDevice, TestedDevice][] {
	const kindOf = ({id}: TestedDevice): string | undefined => id.split(':')[0];
	return devices.flatMap((first, index) =>
		devices
			.slice(index + 1)
			.filter((second) => kindOf(second) === kindOf(first))
			.map((second): [TestedDevice, TestedDevice] => [first, second]),
	);
}
