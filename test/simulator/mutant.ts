// Mutants: core/ and cuda/ with a mistake, which the simulator must report with its place.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from '../cuda/nvcc.ts';
import {operateWith, simulate, type Edit, type Operate} from './programs.ts';

export interface Mutant {
	/** The mistake, as the test's title says it. */
	what: string;
	edits: readonly Edit[];
	/** Sources that include an edited header. */
	compile?: readonly string[];
	/** What test/simulator/operate.cc is to do. */
	scenario: string;
	report: RegExp;
	/** The kernel that the report begins with, and parts of lines of a file, after all edits, of which it names one. */
	at?: {kernel: string; file?: string; lines?: readonly string[]};
}

/** The number of the one line that holds `part`. */
export function lineOf(text: string, part: string): number {
	const found = text.split('\n').flatMap((line, index) => (line.includes(part) ? [index + 1] : []));
	if (found.length !== 1) throw new Error(`'${part}' is in ${found.length} lines, not one.`);
	return found[0]!;
}

/** What a report of `mutant` begins with. */
function placeOf({at}: Mutant, sources: string): RegExp {
	if (at === undefined) return /^/;
	const {kernel, file = 'cuda/[\\w/]+\\.cuh?', lines} = at;
	const numbers = lines?.map((line) => lineOf(readFileSync(join(sources, file), 'utf8'), line)).join('|') ?? '\\d+';
	return new RegExp(`^${kernel}.* \\([^()]*\\b${file}:(${numbers})\\b[^()]*\\) on cuda:`);
}

/**
 * Defines a test for each mutant. It fails where the mutant survives a schedule, is reported with other words or another
 * place, or where the user is not told. While one is tested the next is built.
 */
export function mutantTests(mutants: readonly Mutant[], schedules: readonly string[]): void {
	const programs = new Map<Mutant, Promise<Operate>>();
	const build = (mutant: Mutant): Promise<Operate> => {
		const program = programs.get(mutant) ?? operateWith(mutant.edits, mutant.compile);
		programs.set(mutant, program);
		return program;
	};
	for (const [index, mutant] of mutants.entries()) {
		test(mutant.what, async (t) => {
			t.timeout(300_000);
			const next = mutants[index + 1];
			if (next !== undefined) build(next).catch(() => undefined); // its own test fails
			const {program, sources} = await build(mutant);
			for (const schedule of schedules) {
				const settings = {ALEXNET_SIMULATED_SCHEDULE: schedule};
				const {status, output, reports} = await simulate(program, [mutant.scenario], settings);
				const report = reports[0] ?? 'no report';
				t.regex(report, mutant.report, schedule);
				t.regex(report, placeOf(mutant, sources), schedule);
				t.is(status, 1, schedule);
				t.true(output.includes('simulator: '), `${schedule}: the user sees ${output}`);
			}
		});
	}
}
