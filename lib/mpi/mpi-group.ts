// Ranks that mpirun or srun has started, as a group.
import {AlexNetError, isAlexNetError, messageOf, type ErrorCode} from '../base/errors.ts';
import {permit, requirePermit, type Permit} from '../base/permit.ts';
import type {Group, Wire} from '../net/group.ts';
import {launched} from './launch.ts';
import {loadMpiModule, type MpiModule, type World} from './module.ts';

/** Rank 0 ends all ranks after one has failed; where it does not within so many seconds, the one that failed does. */
const patienceSeconds = 20;
/** For rank 0's own messages to leave. */
const farewellSeconds = 0.5;

/** For all ranks to be there: MPICH does not hear of one that ends before it has come to MPI, and waits for ever. */
const gatheringSeconds = 60;

/** What a rank tells the others when it fails. */
interface Failure {
	readonly rank: number;
	readonly host: string;
	readonly code: ErrorCode;
	readonly message: string;
}

/**
 * A group of ranks on MPI, one for each process: `await mpiGroup()`. Close it, or declare it with `await using`: MPI ends
 * in good order only where all ranks do that. A rank that ends without, or after `fail`, ends all of them.
 */
export class MpiGroup implements Group, AsyncDisposable {
	readonly rank: number;
	readonly size: number;
	readonly localRank: number;
	readonly localSize: number;
	readonly host: string;
	/** The MPI library, as it calls itself. */
	readonly library: string;
	readonly #module: MpiModule;
	#closing: Promise<void> | undefined;
	#isClosed = false;
	#failure: Failure | undefined;

	/** @internal */
	constructor(given: Permit, module: MpiModule, world: World) {
		requirePermit(given, 'MpiGroup', 'await mpiGroup()');
		({rank: this.rank, size: this.size, localRank: this.localRank, localSize: this.localSize} = world);
		this.host = world.host;
		this.library = world.library;
		this.#module = module;
		process.once('exit', (code) => this.#end(code));
		// Of a program that has come to its end and did not close it.
		process.once('beforeExit', (code) => {
			if (code === 0 && !this.hasFailed) void this.close().catch(() => undefined);
		});
	}

	/** Whether this rank or another has failed: nothing can be done together any more. */
	get hasFailed(): boolean {
		return this.#failure !== undefined;
	}

	/** See {@link Group.sum}. */
	async sum(values: Float32Array | Float64Array, scale = 1, wire: Wire = 'fp32'): Promise<void> {
		// A rank on its own sends nothing.
		return this.#heard(this.#module.sum(values, scale, 0, wire === 'bf16' && this.size > 1));
	}

	/** See {@link Group.broadcast}. */
	async broadcast(bytes: Uint8Array): Promise<void> {
		return this.#heard(this.#module.broadcast(bytes, 0));
	}

	/** See {@link Group.gather}. */
	async gather(bytes: Uint8Array, sequence: 'steps' | 'loading' = 'steps'): Promise<readonly Uint8Array[]> {
		return this.#heard(this.#module.gather(bytes, sequence === 'steps' ? 0 : 1));
	}

	/** See {@link Group.fail}. */
	fail(reason: unknown): void {
		if (this.#failure || this.#isClosed) return;
		const {rank, host} = this;
		const code = isAlexNetError(reason) ? reason.code : 'ALEXNET_MPI';
		this.#failure = {rank, host, code, message: messageOf(reason)};
		this.#module.fail(JSON.stringify(this.#failure));
	}

	/**
	 * Ends MPI, which waits for all ranks to do so.
	 *
	 * @throws the error of a rank that has failed.
	 */
	async close(): Promise<void> {
		this.#closing ??= this.#heard(this.#module.close()).then(() => {
			this.#isClosed = true;
		});
		return this.#closing;
	}

	/** As {@link MpiGroup.close}; where a rank has failed the end of the process does the rest. */
	async [Symbol.asyncDispose](): Promise<void> {
		if (!this.hasFailed) await this.close();
	}

	async #heard<T>(work: Promise<T>): Promise<T> {
		try {
			return await work;
		} catch (error) {
			this.#failure ??= this.#failureIn(messageOf(error));
			const {rank, host, code, message} = this.#failure;
			throw new AlexNetError(code, rank === this.rank ? message : `Rank ${rank} on ${host}: ${message}`);
		}
	}

	#failureIn(text: string): Failure {
		const [, left] = /^left:(\d+)$/.exec(text) ?? [];
		if (left === undefined) return JSON.parse(text) as Failure;
		const message = `rank ${left} has closed its group while rank ${this.rank} was waiting for it`;
		return {rank: this.rank, host: this.host, code: 'ALEXNET_MPI', message};
	}

	/** The process ends: with all others, unless MPI has ended before. */
	#end(code: number): void {
		if (this.#isClosed) return;
		const isFirst = this.rank === 0;
		this.fail(new AlexNetError('ALEXNET_MPI', `its process has ended with code ${code}`));
		if (!isFirst) {
			// Rank 0 says what has happened, and ends this process, too.
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, patienceSeconds * 1000);
			const {rank, host, message} = this.#failure ?? {rank: this.rank, host: this.host, message: ''};
			process.stderr.write(`error: rank ${rank} on ${host}: ${message}\n`);
		}
		this.#module.abort(code === 0 ? 1 : code, isFirst ? farewellSeconds : 0);
	}
}

let joined: Promise<MpiGroup> | undefined;

/**
 * The group of ranks that this process is one of, as mpirun or srun has started them; of one rank, where it is alone.
 *
 * ```ts
 * await using group = await mpiGroup();
 * await using model = await AlexNet.create({labels, devices: `cuda:${group.localRank}`, group});
 * ```
 *
 * @throws ALEXNET_MPI where the module is not built (`alexnet mpi build`), or for another MPI library, or where a rank does
 * not come within a minute.
 */
export async function mpiGroup(): Promise<MpiGroup> {
	joined ??= join();
	return joined;
}

async function join(): Promise<MpiGroup> {
	const launch = launched();
	const module = await loadMpiModule();
	const world = await opened(module);
	if (launch && launch.size !== world.size) {
		const message =
			`mpirun has started ${launch.size} processes, but ${world.library.split('\n')[0] ?? 'MPI'} knows of ${world.size}: ` +
			"it is not the library that this mpirun belongs to. Run 'alexnet mpi build' with its compiler.";
		throw new AlexNetError('ALEXNET_MPI', message);
	}
	return new MpiGroup(permit, module, world);
}

/** MPI, once all ranks are there. */
async function opened(module: MpiModule): Promise<World> {
	return new Promise((resolve, reject) => {
		const limit = setTimeout(() => {
			process.once('exit', (code) => module.abort(code === 0 ? 1 : code, 0)); // MPI's thread would hold it up
			const message =
				`MPI has not brought all ranks together in ${gatheringSeconds} s: one of them has ended early, or did not start. ` +
				'If it has said why, that stands above; else try the same command with fewer ranks.';
			reject(new AlexNetError('ALEXNET_MPI', message));
		}, gatheringSeconds * 1000);
		const over = (): void => clearTimeout(limit);
		module
			.open()
			.finally(over)
			.then(resolve, (error: unknown) => reject(new AlexNetError('ALEXNET_MPI', messageOf(error), {cause: error})));
	});
}
