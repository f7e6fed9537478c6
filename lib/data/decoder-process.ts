// Pictures are decoded in a process of their own at first, so that a decoder that dies ends a picture and not a run of
// days. To hand a picture over and back costs a quarter of what decoding it does, 5 to 9 % of training on two cores; so
// one that a decoder has survived is decoded here from then on, and a run of several epochs does not notice.
import {fork, type ChildProcess} from 'node:child_process';
import {existsSync} from 'node:fs';
import {basename, extname} from 'node:path';
import {fileURLToPath} from 'node:url';
import {isMainThread} from 'node:worker_threads';
import {isAlexNetError, messageOf} from '../base/errors.ts';
import {native} from '../device/native.ts';
import {decodeData, prepareData, type DecodedPicture} from './decode.ts';
import {PictureError, readInput, replaceIt} from './picture-input.ts';

export interface Task {
	readonly id: number;
	readonly bytes: Uint8Array;
	readonly imageSize: number;
	/** Of the JPEG that is wanted in the place of pixels. */
	readonly quality?: number | undefined;
}

export type Answer =
	| {readonly id: number; readonly decoded: DecodedPicture}
	| {readonly id: number; readonly refusal: {reason: string; advice: string; cause: string | undefined}}
	| {readonly id: number; readonly failure: string};

interface Job extends Task {
	readonly path: string;
	/** Whether a decoder died while it had this picture among others: the next one has it alone. */
	readonly alone: boolean;
	readonly resolve: (decoded: DecodedPicture) => void;
	readonly reject: (error: Error) => void;
}

const extension = extname(fileURLToPath(import.meta.url));
const ownChild = fileURLToPath(new URL(`./decoder-child${extension}`, import.meta.url));

/** After so many milliseconds without a picture the child ends. */
const idleMilliseconds = 10_000;

/**
 * How many children in a row may be killed before they are ready, as by Ctrl-C in a terminal, which goes to all of its
 * processes: only a child that is ready ignores that.
 */
const mostKilledEarly = 3;

/**
 * Decodes pictures' files in one child process, which is started when it is needed. It has as many threads for decoding
 * as this process would have, those of libuv. Files are read here, so that what fails there is the picture alone.
 *
 * The pictures that a child had when it died are tried again one by one, and one that a child dies of then is bad.
 */
export class DecoderProcess {
	readonly #module: string;
	readonly #threads: number | undefined;
	#child: ChildProcess | undefined;
	#idle: NodeJS.Timeout | undefined;
	#isReady = false;
	#cannotStart = false;
	/** Children in a row that were killed before they were ready. */
	#killedEarly = 0;
	#ids = 0;
	/** Files that a child has decoded. */
	readonly #survived = new Set<string>();
	readonly #queue: Job[] = [];
	readonly #pending = new Map<number, Job>();

	/**
	 * @param module what the child runs
	 * @param threads how many pictures it decodes at the same time; as many as this process would by default
	 */
	constructor(module = ownChild, threads?: number) {
		this.#module = module;
		this.#threads = threads;
	}

	/** Pictures that are asked for and not there. */
	get pending(): number {
		return this.#queue.length + this.#pending.size;
	}

	/** @throws as `decodePicture`; ALEXNET_PICTURE also for a picture that the decoder dies of. */
	readonly decode = async (path: string, imageSize: number): Promise<DecodedPicture> => {
		const data = await readInput(path);
		if (data.raw || this.#cannotStart || this.#survived.has(path)) return decodeData(data, imageSize);
		const decoded = await this.prepare(path, data.bytes, {imageSize});
		this.#survived.add(path);
		return decoded;
	};

	/**
	 * A picture that is looked at once, with all that can be said of it.
	 *
	 * @returns its pixels, or a JPEG of them where a quality is named
	 * @throws as `decode`.
	 */
	async prepare(
		path: string,
		bytes: Uint8Array,
		{imageSize, quality}: {imageSize: number; quality?: number | undefined},
	): Promise<DecodedPicture> {
		if (this.#cannotStart) return prepareData({name: path, bytes}, imageSize, quality);
		return new Promise((resolve, reject) => {
			this.#queue.push({id: this.#ids++, path, bytes, imageSize, quality, alone: false, resolve, reject});
			this.#next();
		});
	}

	#next(): void {
		for (let job = this.#queue[0]; job; job = this.#queue[0]) {
			const busy = [...this.#pending.values()];
			if (busy.length > 0 && (job.alone || busy.some(({alone}) => alone))) break;
			const child = (this.#child ??= this.#start());
			// What ends it before it is ready is no picture.
			if (!child || !this.#isReady) break;
			this.#queue.shift();
			this.#pending.set(job.id, job);
			const {id, bytes, imageSize, quality} = job;
			child.send({id, bytes, imageSize, quality}, () => undefined); // That it is dead its end tells.
		}
		this.#hold();
	}

	/** The child keeps this process only while a picture is awaited, and ends when none has been for a while. */
	#hold(): void {
		clearTimeout(this.#idle);
		const child = this.#child;
		if (!child) return;
		if (this.pending > 0) {
			child.ref();
			child.channel?.ref();
			return;
		}
		child.unref();
		child.channel?.unref();
		this.#idle = setTimeout(() => {
			this.#child = undefined;
			if (child.connected) child.disconnect();
		}, idleMilliseconds).unref();
	}

	#start(): ChildProcess | undefined {
		if (!existsSync(this.#module)) {
			const advice = 'bundle it as well, as docs/bundles.md says, or leave alexnet-cuda out of the bundle';
			this.#stayHere(`there is no ${basename(this.#module)} beside this program: ${advice}`);
			return undefined;
		}
		// Compiled, it needs none of this process's arguments, and some, such as --input-type, it must not have.
		const execArgv = extension === '.js' ? [] : process.execArgv;
		let child: ChildProcess;
		endWithThread(this.#module);
		try {
			const pool = this.#threads === undefined ? {} : {UV_THREADPOOL_SIZE: `${this.#threads}`};
			child = fork(this.#module, {
				serialization: 'advanced',
				stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
				execArgv,
				env: {...pool, ...process.env},
			});
		} catch (error) {
			this.#stayHere(messageOf(error));
			return undefined;
		}
		this.#isReady = false;
		const ended = (why: string, wasKilled: boolean): void => {
			if (this.#child !== child) return;
			this.#child = undefined;
			if (this.#isReady) this.#tryAgain(why);
			else if (wasKilled && ++this.#killedEarly < mostKilledEarly) this.#next();
			else this.#stayHere(why);
		};
		child.on('message', (message: Answer | 'ready') => {
			if (message !== 'ready') this.#settle(message);
			else if (this.#child === child) {
				this.#isReady = true;
				this.#killedEarly = 0;
				this.#next();
			}
		});
		child.once('error', ({message}) => {
			ended(message, false);
		});
		child.once('close', (code, signal) => {
			ended(signal ?? `exit code ${code}`, signal !== null);
		});
		return child;
	}

	#settle(answer: Answer): void {
		const job = this.#pending.get(answer.id);
		if (!job) return;
		this.#pending.delete(answer.id);
		if ('decoded' in answer) {
			// A copy: what arrives is a view of the channel's buffer, with other messages beside it.
			job.resolve({...answer.decoded, pixels: new Uint8Array(answer.decoded.pixels)});
		} else if ('refusal' in answer) {
			const {reason, advice, cause} = answer.refusal;
			job.reject(new PictureError(job.path, reason, advice, cause === undefined ? {} : {cause: new Error(cause)}));
		} else job.reject(new Error(answer.failure));
		this.#next();
	}

	/** After a child's death. */
	#tryAgain(why: string): void {
		const jobs = [...this.#pending.values()];
		this.#pending.clear();
		for (const job of jobs) if (job.alone) job.reject(killer(job, why));
		this.#queue.unshift(...jobs.filter(({alone}) => !alone).map((job) => ({...job, alone: true})));
		this.#next();
	}

	/**
	 * Where no child can be had (limits, permissions, a bundle without its file), a run is worth more than its protection;
	 * except for a picture of which a child may have died.
	 */
	#stayHere(why: string): void {
		this.#cannotStart = true;
		process.emitWarning(
			`Pictures are decoded in this process, which ends if a decoder crashes: a process for them cannot be started (${why}).`,
			'AlexNetWarning',
		);
		const jobs = [...this.#pending.values(), ...this.#queue.splice(0)];
		this.#pending.clear();
		for (const job of jobs) {
			if (job.alone) job.reject(killer(job, why));
			else prepareData({name: job.path, bytes: job.bytes}, job.imageSize, job.quality).then(job.resolve, job.reject);
		}
	}
}

/** A worker thread that is terminated leaves no child behind. */
function endWithThread(module: string): void {
	if (isMainThread) return;
	try {
		native.endChildrenWithThread(module);
	} catch (error) {
		if (!isAlexNetError(error, 'ALEXNET_ADDON')) throw error; // decoding needs no addon
	}
}

function killer({path}: Job, why: string): PictureError {
	return new PictureError(path, `the decoder died of it (${why})`, replaceIt);
}

/** Datasets share it. */
export const decoderProcess = new DecoderProcess();
