// Programs that mpirun starts as several ranks. ALEXNET_REQUIRE=mpi makes the absence of MPI a failure.
import {spawn, spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {readdir, readFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {buildMpiModule, mpiBuilds} from '../../lib/mpi/builds.ts';
import type {Ended} from './command.ts';
import {isRequired} from './required.ts';
import {root} from './sources.ts';

export interface MpiLibrary {
	readonly name: 'Open MPI' | 'MPICH';
	readonly mpirun: string;
	readonly compiler: string;
}

// Debian has both beside each other; elsewhere one has the short names.
const known = ['openmpi', 'mpich', undefined].map((suffix) => ({
	mpirun: ['mpirun', ...(suffix === undefined ? [] : [suffix])].join('.'),
	compiler: ['mpicxx', ...(suffix === undefined ? [] : [suffix])].join('.'),
}));

function versionOf(program: string): string | undefined {
	const {status, stdout} = spawnSync(program, ['--version'], {encoding: 'utf8'});
	return status === 0 ? stdout : undefined;
}

export const libraries: readonly MpiLibrary[] = known
	.flatMap(({mpirun, compiler}): MpiLibrary[] => {
		const version = versionOf(mpirun);
		if (version === undefined || versionOf(compiler) === undefined) return [];
		return [{name: /Open ?MPI|OpenRTE|open-mpi/i.test(version) ? 'Open MPI' : 'MPICH', mpirun, compiler}];
	})
	.filter(({name}, index, all) => all.findIndex((other) => other.name === name) === index);

/** This checkout's: another one, with other sources, builds other modules under the same names. */
const cache = join(tmpdir(), 'alexnet-cuda-tests', createHash('sha256').update(root).digest('hex').slice(0, 8));

/** Defines a test for each library that is here, or for the first alone; the module is built where it is not yet. */
export function mpiTest(
	title: string,
	body: (t: ExecutionContext, library: MpiLibrary) => Promise<void>,
	{first = false}: {first?: boolean} = {},
): void {
	if (libraries.length === 0) {
		test.serial(title, (t) => {
			const message = 'there is no MPI here (on Debian: apt-get install openmpi-bin libopenmpi-dev)';
			if (isRequired('mpi')) t.fail(`ALEXNET_REQUIRE names mpi, but ${message}`);
			else t.pass(`Skipped: ${message}`);
		});
		return;
	}
	for (const library of libraries.slice(0, first ? 1 : undefined)) {
		test.serial(`${title} [${library.name}]`, async (t) => {
			t.timeout(240_000);
			process.env.XDG_CACHE_HOME = cache;
			const isBuilt = (await mpiBuilds()).some((build) => build.isCurrent && build.library.startsWith(library.name));
			if (!isBuilt) await buildMpiModule({compiler: library.compiler});
			await body(t, library);
		});
	}
}

/** What is started by `mpirun`, and may be killed; it gets a SIGKILL after two minutes. */
export interface MpiRun {
	/** Sends a signal to mpirun. */
	kill: (signal: NodeJS.Signals) => void;
	/** Of mpirun. */
	pid: number;
	/** What has been printed so far. */
	printed: () => string;
	ended: Promise<Ended>;
}

export const tsx = `--import=${import.meta.resolve('tsx')}`;
export const cli = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/**
 * @param programs what ranks run, with its arguments: one for all, or one for each
 */
export function mpirun(library: MpiLibrary, ranks: number, ...programs: readonly (readonly string[])[]): MpiRun {
	const each = (count: number, program: readonly string[]): string[] => {
		return ['-n', String(count), process.execPath, tsx, ...program];
	};
	const [only, ...others] = programs;
	const parts =
		others.length === 0 ? [each(ranks, only ?? [])] : programs.map((program) => each(ranks / programs.length, program));
	const args = parts.flatMap((part, index) => (index > 0 ? [':', ...part] : part));
	const child = spawn(library.mpirun, [...(library.name === 'Open MPI' ? ['--oversubscribe'] : []), ...args], {
		stdio: ['ignore', 'pipe', 'pipe'],
		env: {...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1', XDG_CACHE_HOME: cache},
	});
	let [stdout, stderr] = ['', ''];
	child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
	child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
	const limit = setTimeout(() => {
		stderr += '\nTHE TIME LIMIT HAS PASSED\n';
		child.kill('SIGTERM');
	}, 120_000);
	const ended = new Promise<Ended>((resolve, reject) => {
		child.on('error', reject);
		child.on('close', (code, signal) => {
			clearTimeout(limit);
			resolve({code: code ?? (signal === 'SIGKILL' ? 137 : 143), stdout, stderr});
		});
	});
	return {
		kill: (signal) => child.kill(signal),
		pid: child.pid ?? 0,
		printed: () => stdout + stderr,
		ended,
	};
}

/** The process of a rank, once it runs. */
export async function processOf({pid}: MpiRun, rank: number): Promise<number | undefined> {
	for (const name of await readdir('/proc')) {
		if (!/^\d+$/.test(name)) continue;
		try {
			const [environment, command] = await Promise.all(
				['environ', 'cmdline'].map(async (file) => (await readFile(`/proc/${name}/${file}`, 'latin1')).split('\0')),
			);
			const isRank = ['OMPI_COMM_WORLD_RANK', 'PMI_RANK'].some((variable) =>
				environment!.includes(`${variable}=${rank}`),
			);
			if (isRank && command!.includes(cli) && (await isBelow(Number(name), pid))) return Number(name);
		} catch {
			// It has ended meanwhile, or is somebody else's.
		}
	}
	return undefined;
}

async function isBelow(process: number, ancestor: number): Promise<boolean> {
	for (let pid = process; pid > 1;) {
		if (pid === ancestor) return true;
		pid = Number(/^PPid:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
	}
	return false;
}
