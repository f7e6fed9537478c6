// Counts instructions in what nvdisasm prints (`nvdisasm -c`): of each kernel, of the innermost loop that multiplies, and
// of the loop around that.
import type {Instructions} from '../../benchmarks/kernel-facts.ts';

export interface Counts {
	readonly code: Instructions;
	readonly inner?: Instructions;
	readonly outer?: Instructions;
}

interface Line {
	readonly operation: string;
	/** A branch's label. */
	readonly target?: string | undefined;
}

interface Listing {
	readonly lines: readonly Line[];
	/** Label → the line behind it. */
	readonly labels: ReadonlyMap<string, number>;
}

/** By the kernels' mangled names. */
export function countInstructions(text: string): Map<string, Counts> {
	const sections = text.split(/^\.section\s+|^\s*\.section\s+/m).slice(1);
	const found = new Map<string, Counts>();
	for (const section of sections) {
		const name = /^\.text\.(\w+)/.exec(section)?.[1];
		if (name !== undefined) found.set(name, countsOf(listing(section)));
	}
	return found;
}

function listing(section: string): Listing {
	const lines: Line[] = [];
	const labels = new Map<string, number>();
	for (const line of section.split('\n')) {
		const label = /^(\.L\w+):/.exec(line)?.[1];
		if (label !== undefined) labels.set(label, lines.length);
		const [, operation, operands] = /^\s+\/\*[0-9a-f]+\*\/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)\s*(.*?);/.exec(line) ?? [];
		if (operation === undefined || operation === 'NOP') continue;
		lines.push({operation, target: operation.startsWith('BRA') ? /\((\.L\w+)\)/.exec(operands ?? '')?.[1] : undefined});
	}
	return {lines, labels};
}

interface Loop {
	readonly from: number;
	readonly to: number;
	readonly counts: Instructions;
}

function countsOf({lines, labels}: Listing): Counts {
	const loops: Loop[] = [];
	for (const [to, {target}] of lines.entries()) {
		const from = target === undefined ? undefined : labels.get(target);
		if (from === undefined || from > to) continue;
		const counts = sum(lines.slice(from, to + 1));
		if (counts.ffma + counts.hmma > 0) loops.push({from, to, counts});
	}
	const code = sum(lines);
	const contains = (a: Loop, b: Loop): boolean => a !== b && a.from <= b.from && a.to >= b.to;
	const innermost = loops.filter((loop) => !loops.some((other) => contains(loop, other)));
	// Operands come from shared memory, where a kernel uses it: tanh multiplies in the epilogue, too. An HMMA multiplies 64
	// times as much as an FFMA.
	const weight = ({counts}: Loop): number =>
		(64 * counts.hmma + counts.ffma) * (counts.sharedBytes > 0 || code.sharedBytes === 0 ? 1 : 1e-6);
	const inner = innermost.toSorted((a, b) => weight(b) - weight(a))[0];
	if (!inner) return {code};
	const around = loops.filter((loop) => contains(loop, inner)).toSorted((a, b) => a.to - a.from - (b.to - b.from))[0];
	return {code, inner: inner.counts, ...(around && {outer: around.counts})};
}

const lanes = 32;

function sum(lines: readonly Line[]): Instructions {
	const counts = {all: 0, ffma: 0, hmma: 0, sharedBytes: 0};
	for (const {operation} of lines) {
		++counts.all;
		if (operation.startsWith('FFMA')) ++counts.ffma;
		if (operation.startsWith('HMMA.')) ++counts.hmma;
		counts.sharedBytes += sharedBytesOf(operation);
	}
	return counts;
}

/** Of a warp. */
function sharedBytesOf(operation: string): number {
	const [verb] = operation.split('.', 1);
	// Each 8x8 matrix of two bytes is 128 bytes: LDSM.16.M88.4 loads four.
	if (verb === 'LDSM') return 128 * Number(/\.([124])$/.exec(operation)?.[1] ?? 1);
	if (verb !== 'LDS' && verb !== 'STS' && verb !== 'LDGSTS') return 0;
	return (lanes * Number(/\.(128|64)\b/.exec(operation)?.[1] ?? 32)) / 8;
}
