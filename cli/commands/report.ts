import type {Command} from 'commander';
import {must, option} from '../../lib/base/check.ts';
import {writeReport} from '../../lib/index.ts';
import {Output} from '../output.ts';
import {addOptions} from '../parse.ts';

const htmlPath = must<string>('a path that ends in .html', (value) => {
	return typeof value === 'string' && value.toLowerCase().endsWith('.html');
});

const checks = {
	out: option(htmlPath, 'the page to write (default: report.html, in the folder of a single run)'),
};

export function addReport(program: Command): void {
	const command = program
		.command('report')
		.summary('show runs in a page')
		.description(
			"Write one HTML file that opens without a network: loss, errors, rate and speed over time, conv1's kernels at " +
				'several steps, how the classes are told, settings, hardware and versions. Several runs lie side by side.',
		)
		.argument('<run...>', 'run folders, also of runs that are under way');
	addOptions(command, checks, '--out <file>');
	command.action(async (runs: string[], {out}: {out?: string}) => {
		new Output().result(await writeReport(runs, out));
	});
}
