#!/usr/bin/env node
import {CommanderError, type Command, type Option} from 'commander';
import {createDoctorProgram} from './doctor-program.ts';
import {describeError, exitCodeOf, exitCodes} from './exit-codes.ts';
import {ignoresHangup} from './hangup.ts';
import {watchOutput} from './output.ts';

watchOutput();
// What nohup's users expect; node itself would end.
if (ignoresHangup()) process.on('SIGHUP', () => undefined);

/** @throws what is wrong with the installation; doctor tells that as it tells the rest. */
async function load(): Promise<Command> {
	try {
		const {createProgram} = await import('./program.ts');
		(await import('../lib/data/sharp-settings.ts')).setUpSharp();
		return createProgram();
	} catch (error) {
		if (process.argv[2] === 'doctor') return createDoctorProgram();
		throw error;
	}
}

let options: readonly Option[] = [];
try {
	const program = (await load()).hook('preAction', (_, command) => void ({options} = command));
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
