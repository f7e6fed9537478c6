// The typed contract of the module, and the only file that loads it.
import {fstatSync} from 'node:fs';
import {createRequire} from 'node:module';
import {AlexNetError, messageOf} from '../base/errors.ts';
import {mpiBuilds, type MpiBuild} from './builds.ts';
import {launched, type Launch} from './launch.ts';

/** What a rank knows of the job it is part of. */
export interface World {
	readonly rank: number;
	readonly size: number;
	readonly localRank: number;
	readonly localSize: number;
	readonly host: string;
	readonly library: string;
}

/** All promises reject once any rank has failed, with the text that it gave. Sequences are 0 (steps) and 1 (loading). */
export interface MpiModule {
	open(): Promise<World>;
	/** @param halves float32 values travel as bfloat16 */
	sum(values: Float32Array | Float64Array, scale: number, sequence: number, halves: boolean): Promise<void>;
	broadcast(bytes: Uint8Array, sequence: number): Promise<void>;
	gather(bytes: Uint8Array, sequence: number): Promise<Uint8Array[]>;
	fail(text: string): void;
	close(): Promise<void>;
	abort(code: number, seconds: number): never;
}

/**
 * The module for the MPI library whose mpirun has started this process, or else the latest that was built.
 *
 * @throws ALEXNET_MPI where there is none, or none for that library.
 */
export async function loadMpiModule(): Promise<MpiModule> {
	const launch = launched();
	requireChannel();
	const builds = await mpiBuilds();
	const build = chosen(builds, launch);
	leaveMemoryAlone();
	try {
		return createRequire(import.meta.url)(build.file) as MpiModule;
	} catch (error) {
		const message = `The module for ${build.library} does not load: ${messageOf(error)}. Build it again: alexnet mpi build --compiler ${build.compiler}`;
		throw new AlexNetError('ALEXNET_MPI', message, {cause: error});
	}
}

/**
 * UCX, by which MPI libraries speak to the network, wants to hear of memory that is given back. For that it writes over the
 * first instructions of libc's mmap, munmap, madvise and their like when MPI begins. By then V8's threads are in those
 * functions all the time, and a thread that is just there goes on in the midst of another instruction; afterwards UCX's
 * handlers run within V8's collections of garbage. Without it UCX registers memory with a network card anew for each
 * large message. It reads the variable when it is loaded.
 */
function leaveMemoryAlone(): void {
	process.env.UCX_MEM_EVENTS ??= 'n';
}

function chosen(builds: readonly MpiBuild[], launch: Launch | undefined): MpiBuild {
	const library = launch?.library;
	const suitable = builds.filter((build) => isOf(build.library, library));
	const current = suitable.find(({isCurrent}) => isCurrent);
	if (current) return current;
	const why =
		suitable.length > 0
			? 'was built by another version of this package'
			: builds.length > 0
				? `was built for ${builds.map((build) => build.library).join(' and ')} alone, and mpirun is that of ${library ?? 'another'}`
				: 'is not built yet';
	throw new AlexNetError(
		'ALEXNET_MPI',
		`The module for MPI ${why}. On each machine, run: alexnet mpi build${library === 'MPICH' ? ' --compiler mpicxx.mpich' : ''}`,
	);
}

/** Libraries of MPICH's family have its ABI and its mpirun's protocol. */
function isOf(library: string, wanted: Launch['library']): boolean {
	if (wanted === undefined) return true;
	return library.startsWith('Open MPI') === (wanted === 'Open MPI');
}

/** MPICH's mpirun speaks to its processes through a socket that npx does not hand on; its number means another file then. */
function requireChannel(): void {
	const descriptor = process.env.PMI_FD;
	if (descriptor === undefined || isSocket(Number(descriptor))) return;
	throw new AlexNetError(
		'ALEXNET_MPI',
		"mpirun's connection to this process was closed by what started it, as npx does. Start the command itself: " +
			'mpirun -n 4 node_modules/.bin/alexnet train …',
	);
}

function isSocket(descriptor: number): boolean {
	try {
		return fstatSync(descriptor).isSocket();
	} catch {
		return false;
	}
}
