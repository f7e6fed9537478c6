#!/usr/bin/env node
import {CommanderError, type Option} from 'commander';
import {describeError, exitCodeOf, exitCodes} from './exit-codes.ts';

// `alexnet … | head` closes our output while we write: that is no failure to report.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
	if (error.code === 'EPIPE') process.exit(exitCodes.SIGPIPE);
	throw error;
});

let options: readonly Option[] = [];
try {
	// May say what is wrong with the installation.
	const {createProgram} = await import('./program.ts');
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
