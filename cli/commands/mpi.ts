import type {Command} from 'commander';
import {buildMpiModule, mpiBuildOptions, type MpiBuildOptions} from '../../lib/mpi/builds.ts';
import {Output} from '../output.ts';
import {addOptions} from '../parse.ts';

export function addMpi(program: Command): void {
	const mpi = program.command('mpi').summary('what training on several GPUs or machines needs').description('MPI.');
	const build = mpi
		.command('build')
		.summary('build the module between this package and the MPI library that is here')
		.description(
			'Build the module that joins the processes which mpirun or srun starts: with the MPI library that is here, for the ' +
				'user who calls it. Then: mpirun -n 4 npx alexnet train pictures',
		);
	addOptions(build, mpiBuildOptions.checks, '--compiler <compiler>');
	build.action(async (options: MpiBuildOptions) => {
		const {library, file} = await buildMpiModule(options);
		new Output().result(`Built for ${library}: ${file}`);
	});
}
