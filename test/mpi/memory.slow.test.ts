// MPI leaves the functions alone by which V8's threads take and give back memory.
import {fileURLToPath} from 'node:url';
import {mpirun, mpiTest} from '../helpers/mpi.ts';

const program = fileURLToPath(new URL('../helpers/mpi-code.ts', import.meta.url));

mpiTest("no code of libc's is written over when MPI begins", async (t, library) => {
	const {code, stdout, stderr} = await mpirun(library, 2, [program]).ended;
	t.is(code, 0, stderr);
	t.deepEqual(stdout.match(/^libc: .*$/gm), ['libc: 0 kB', 'libc: 0 kB']);
});
