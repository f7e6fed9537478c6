#!/usr/bin/env node
import {CommanderError, type Option} from 'commander';
import {describeError, exitCodeOf, exitCodes} from './exit-codes.ts';
import {ignoresHangup} from './hangup.ts';
import {watchOutput} from './output.ts';

watchOutput();
// What nohup's users expect; node itself would end.
if (ignoresHangup()) process.on('SIGHUP', () => undefined);

let options: readonly Option[] = [];
try {
	// May say what is wrong with the installation.
	const {createProgram} = await import('./program.ts');
	(await import('../lib/data/sharp-settings.ts')).setUpSharp();
	const program = createProgram().hook('preAction', (_, command) => void ({options} = command));
	await program.parseAsync();
} catch (error) {
	if (error instanceof CommanderError) {
		// Commander has said what is wrong, or has printed the help that was asked for.
		process.exitCode = error.exitCode === 0 ? exitCodes.good : exitCodes.usage;
	} else {
		process.stderr.write(`${describeError(error, options)}\n`);
		process.exitCode = exitCodeOf(error);
	}
}
