// The files that prepared pictures lie in.
import {close, open, read} from 'node:fs';
import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {AlexNetError} from '../../base/errors.ts';
import {reasonOf} from '../../base/files.ts';
import {shardName} from './format.ts';

/** Well below the 1,024 that a process may have open on most systems. */
const mostOpen = 256;
/** After so many milliseconds without a picture all are closed. */
const idleMilliseconds = 10_000;

interface OpenShard {
	readonly descriptor: Promise<number>;
	readers: number;
}

const [openFile, closeFile] = [promisify(open), promisify(close)];

/** Reads from shards, which it opens when they are needed and closes when they have not been for a while. */
export class Shards {
	readonly #dir: string;
	/** Those read last are last. */
	readonly #open = new Map<number, OpenShard>();
	#idle: NodeJS.Timeout | undefined;

	constructor(dir: string) {
		this.#dir = dir;
	}

	/** Fills `into` as far as the shard goes, and tells how many bytes that are. */
	async read(shard: number, into: Uint8Array, offset: number): Promise<number> {
		const file = this.#take(shard);
		try {
			const descriptor = await file.descriptor;
			let done = 0;
			while (done < into.length) {
				const bytes = await readAt(descriptor, into, done, offset + done);
				if (bytes === 0) break;
				done += bytes;
			}
			return done;
		} catch (error) {
			// What a drive that was away has left open stays useless: the next attempt opens it anew.
			if (this.#open.get(shard) === file) this.#open.delete(shard);
			throw error;
		} finally {
			--file.readers;
			if (this.#open.get(shard) !== file) this.#close(file);
			this.#closeSome();
		}
	}

	#take(shard: number): OpenShard {
		const known = this.#open.get(shard);
		const file = known ?? {descriptor: openFile(join(this.#dir, shardName(shard)), 'r'), readers: 0};
		++file.readers;
		this.#open.delete(shard);
		this.#open.set(shard, file);
		return file;
	}

	#closeSome(): void {
		for (const [shard, file] of this.#open) {
			if (this.#open.size <= mostOpen) break;
			if (file.readers > 0) continue;
			this.#open.delete(shard);
			this.#close(file);
		}
		if (this.#idle) this.#idle.refresh();
		else this.#idle = setTimeout(() => this.#closeAll(), idleMilliseconds).unref();
	}

	#closeAll(): void {
		for (const [shard, file] of this.#open) {
			if (file.readers > 0) continue;
			this.#open.delete(shard);
			this.#close(file);
		}
	}

	/** Once nobody reads from it any more. */
	#close({descriptor, readers}: OpenShard): void {
		if (readers === 0) descriptor.then(closeFile).catch(() => undefined);
	}
}

/** Not that of node:fs/promises, which takes the event loop three times as long. */
async function readAt(descriptor: number, into: Uint8Array, at: number, position: number): Promise<number> {
	return new Promise((resolve, reject) => {
		read(descriptor, into, at, into.length - at, position, (error, bytes) => {
			if (error) reject(error);
			else resolve(bytes);
		});
	});
}

/** @throws ALEXNET_FOLDER where a shard is not there, or has not as many bytes as the index says. */
export async function requireShards(dir: string, bytes: readonly number[]): Promise<void> {
	for (const [shard, expected] of bytes.entries()) {
		const path = join(dir, shardName(shard));
		let found: string | undefined;
		try {
			const {size} = await stat(path);
			if (size !== expected) found = `has ${size} bytes instead of ${expected}`;
		} catch (error) {
			found = `cannot be had (${reasonOf(error)})`;
		}
		if (found === undefined) continue;
		throw new AlexNetError(
			'ALEXNET_FOLDER',
			`'${path}', which holds prepared pictures, ${found}. Put it back from a copy, or prepare the pictures again, into ` +
				'another folder.',
		);
	}
}
