// The selftest's report: short enough to be pasted, and line by line, so that a crash leaves what was found before.
import type {Precision} from '../lib/index.ts';
import type {DeviceFacts, Facts} from '../lib/selftest/facts.ts';
import type {Failure, TestResult} from '../lib/selftest/result.ts';
import {gibibytes} from './format.ts';
import {describeCudaVersions, describeDevice} from './devices-in-words.ts';

/** In the order of the columns. */
const precisions: readonly Precision[] = ['fp32', 'tf32', 'bf16'];

/** Failures told of a test; the first says most. */
const mostTold = 2;

interface Run {
	readonly seed: number;
	readonly full: boolean;
	readonly threads: number | undefined;
	/** Whether the user has named the devices. */
	readonly isChosen: boolean;
}

/** Where and on what: the first lines. */
export function describeFacts(facts: Facts, {seed, full, threads, isChosen}: Run): string {
	const {version, node, system, cuda, driver, sync, devices} = facts;
	const given = [
		...(full ? ['--full'] : []),
		...(threads === undefined ? [] : [`--threads ${threads}`]),
		`--seed ${seed}`,
	];
	const lines = [`alexnet-cuda ${version} selftest ${given.join(' ')}, Node.js ${node}, ${system}`];
	if (!devices.some(({kind}) => kind === 'cuda') && !isChosen) {
		lines.push(`No CUDA device: ${cuda.message}`, 'So the CPU is tested.');
	}
	const versions = describeCudaVersions(cuda);
	const ofDriver = driver === undefined ? undefined : `NVIDIA driver ${driver}.`;
	const ofSync = `ALEXNET_SYNC is ${sync === undefined ? 'not set' : `'${sync}'`}.`;
	lines.push([versions, ofDriver, ofSync].filter((part) => part !== undefined).join(' '));
	lines.push(...devices.map(describe), ...devices.flatMap(({notes = []}) => notes));
	if (devices.some(({isSimulated}) => isSimulated)) {
		lines.push('Simulated devices: no times, for they would be those of the simulator, and no shapes that fill a GPU.');
	}
	return lines.join('\n');
}

function describe(device: DeviceFacts): string {
	const total = gibibytes(device.memoryBytes);
	const free = device.freeBytes === undefined ? 'cannot be opened' : `${gibibytes(device.freeBytes)} free`;
	return `${device.id}: ${describeDevice(device)}, ${total}, ${free}`;
}

export class SelftestTable {
	readonly #widths: readonly number[];

	constructor(devices: readonly string[]) {
		const longest = Math.max(...devices.map((id) => id.length));
		this.#widths = [2 * longest + 3, 22, 9, 9, 9, 9, 9, 9];
	}

	get header(): string {
		const about =
			'Worst error as a share of what rounding permits (to bf16 it takes up to 1.00); times of small shapes, no benchmark.';
		return `\n${about}\n${this.#line(['on', 'test', ...precisions.flatMap((precision) => [precision, 'ms'])])}`;
	}

	row({on, test, outcome, worst, milliseconds, failures, note}: TestResult): string {
		const cells = precisions.flatMap((precision) => [share(worst[precision]), time(milliseconds[precision])]);
		const words = note === undefined ? outcome : `${outcome}: ${note}`;
		const line = this.#line([on, test, ...cells], words);
		return [line, ...told(failures)].join('\n');
	}

	#line(cells: readonly string[], last = ''): string {
		const padded = cells.map((cell, index) => {
			const width = this.#widths[index] ?? 0;
			return index < 2 ? cell.padEnd(width) : cell.padStart(width);
		});
		return [...padded, ` ${last}`].join(' ').trimEnd();
	}
}

function share(value: number | undefined): string {
	if (value === undefined) return '-';
	if (value === 0) return 'exact';
	if (value > 1) return Number.isFinite(value) ? value.toExponential(0) : 'wrong';
	return value < 0.01 ? '<0.01' : value.toFixed(2);
}

function time(value: number | undefined): string {
	return value === undefined ? '-' : value.toFixed(value < 10 ? 2 : 0);
}

function told(failures: readonly Failure[]): string[] {
	const lines = failures.slice(0, mostTold).map(({precision, what, message, code}) => {
		return `    ${precision} ${what}: ${message}${code === undefined ? '' : ` (${code})`}`;
	});
	const rest = failures.length - lines.length;
	return rest > 0 ? [...lines, `    and ${rest} more`] : lines;
}

/** The last line. */
export function verdict(results: readonly TestResult[]): {isPassed: boolean; text: string} {
	const wrong = results.filter(({outcome}) => outcome !== 'passed');
	if (wrong.length === 0) return {isPassed: true, text: `\nPASSED: all ${results.length} tests.`};
	const failed = wrong.filter(({outcome}) => outcome === 'failed').map(({on, test}) => `${test} on ${on}`);
	const notRun = wrong.length - failed.length;
	const rest = notRun > 0 ? `; ${notRun} not run` : '';
	return {isPassed: false, text: `\nFAILED: ${failed.join(', ')}${rest}. ${results.length - wrong.length} passed.`};
}
