// A mutant: core/ and cuda/ with a mistake, which the simulator must report with its place.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {operateWith, schedules, simulate, test, type Edit} from './programs.ts';

export interface Mutant {
	/** The mistake, as the test's title says it. */
	what: string;
	edits: readonly Edit[];
	/** Sources that include an edited header. */
	compile?: readonly string[];
	/** What test/simulator/operate.cc is to do. */
	scenario: string;
	/** What is reported, after the place of `at`. */
	report: RegExp;
	/** The kernel that the report begins with, and a part of the one line that it must name, after all edits. */
	at?: {kernel: string; file: string; line: string};
}

/** The number of the one line that holds `part`. */
function lineOf(text: string, part: string): number {
	const found = text.split('\n').flatMap((line, index) => (line.includes(part) ? [index + 1] : []));
	if (found.length !== 1) throw new Error(`'${part}' is in ${found.length} lines, not one.`);
	return found[0]!;
}

/** Defines a test that fails where the mutant survives a schedule, or is reported with other words or another place. */
export function mutantTest(mutant: Mutant): void {
	test(mutant.what, async (t) => {
		t.timeout(300_000);
		const {program, sources} = await operateWith(mutant.edits, mutant.compile);
		for (const schedule of schedules) {
			const settings = {ALEXNET_SIMULATED_SCHEDULE: schedule};
			const {status, output, reports} = await simulate(program, [mutant.scenario], settings);
			const report = reports[0] ?? 'no report';
			t.regex(report, mutant.report, schedule);
			if (mutant.at !== undefined) {
				const {kernel, file, line} = mutant.at;
				const number = lineOf(readFileSync(join(sources, file), 'utf8'), line);
				t.true(report.startsWith(kernel), `${schedule}: ${report}`);
				t.regex(report, new RegExp(`^[^)]*\\b${file}:${number}\\b`), schedule);
			}
			t.is(status, 1, schedule);
			t.true(output.includes('simulator: '), `${schedule}: the user sees ${output}`);
		}
	});
}
