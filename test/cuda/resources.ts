// What ptxas says of kernels: registers, stack frames, spills, warnings.
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {root} from '../helpers/sources.ts';

/** Files of cuda/ with kernels: "kernels/lrn.cu". */
export const files = readdirSync(join(root, 'cuda'), {recursive: true, encoding: 'utf8'}).filter((file) =>
	file.endsWith('.cu'),
);

/** Compute capabilities that a release has kernels for. */
export const architectures = ['75', '80', '86', '89', '90', '100', '120'];

/**
 * Kernels that may have a stack frame or spill registers: a part of their mangled name, the compute capabilities where
 * they do, and why that is well.
 */
export const excused: readonly {kernel: string; architectures: readonly string[]; reason: string}[] = [];

/** One kernel on one architecture. */
export interface Usage {
	/** As the compiler mangles it: name and template arguments can be found in it. */
	kernel: string;
	/** "80" */
	architecture: string;
	/** Bytes of a thread. */
	stack: number;
	spillStores: number;
	spillLoads: number;
}

const properties =
	/Compiling entry function '(\w+)' for 'sm_(\d+)'\n.*\n\s+(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads/g;

/** What `-Xptxas=-v` printed. Fails where a kernel was compiled and nothing is said of it. */
export function usagesOf(output: string): Usage[] {
	const usages = [...output.matchAll(properties)].map(([, kernel = '', architecture = '', ...bytes]) => {
		const [stack = NaN, spillStores = NaN, spillLoads = NaN] = bytes.map(Number);
		return {kernel, architecture, stack, spillStores, spillLoads};
	});
	const compiled = output.match(/Compiling entry function/g)?.length ?? 0;
	if (usages.length !== compiled || compiled === 0) {
		throw new Error(`${compiled} kernels were compiled, ${usages.length} have properties:\n${output}`);
	}
	return usages;
}

/** Checks what ptxas printed of the kernels of a file, for all architectures. */
export function assertResources(t: ExecutionContext, output: string): void {
	const usages = usagesOf(output);
	const warnings = output.split('\n').filter((line) => /warning/i.test(line));
	t.deepEqual(warnings, []);
	t.deepEqual([...new Set(usages.map(({architecture}) => architecture))].sort(), architectures.toSorted());
	const isExcused = ({kernel, architecture}: Usage): boolean =>
		excused.some((entry) => kernel.includes(entry.kernel) && entry.architectures.includes(architecture));
	const spilling = usages.filter(({stack, spillStores, spillLoads}) => stack + spillStores + spillLoads > 0);
	t.deepEqual(
		spilling.filter((usage) => !isExcused(usage)),
		[],
	);
}
