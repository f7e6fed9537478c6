import {Command} from 'commander';
import {packageVersion} from '../lib/base/package.ts';
import {addDoctor} from './commands/doctor.ts';

/** The command line with `doctor` alone, which needs nothing that may be missing. It throws as {@link createProgram}. */
export function createDoctorProgram(): Command {
	const program = new Command('alexnet')
		.description('AlexNet as the 2012 paper has it: train it on your pictures, and have it tell what others show.')
		.version(packageVersion)
		.showHelpAfterError('(--help lists the options)')
		.exitOverride();
	addDoctor(program);
	return program;
}
