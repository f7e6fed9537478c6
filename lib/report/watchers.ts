// Those who watch a run, each through an answer that does not end (server-sent events).
import type {ServerResponse} from 'node:http';

const mostWatchers = 16;
/** Milliseconds after which one that takes nothing any more is let go. */
const patience = 30_000;

/** One that does not keep up is told nothing until it does, and then that it should read everything anew. */
export class Watchers {
	readonly #all = new Map<ServerResponse, {behindSince?: number}>();
	/** Called when the last one has gone. */
	onEmpty: (() => void) | undefined;

	get size(): number {
		return this.#all.size;
	}

	/** @returns whether there was room for it */
	add(response: ServerResponse): boolean {
		if (this.#all.size >= mostWatchers) return false;
		response.writeHead(200, {'content-type': 'text/event-stream', 'cache-control': 'no-store'});
		response.write('retry: 2000\n\n');
		this.#all.set(response, {});
		response.on('close', () => {
			this.#all.delete(response);
			if (this.#all.size === 0) this.onEmpty?.();
		});
		response.on('drain', () => {
			this.#all.set(response, {});
			response.write(message('run', null));
		});
		return true;
	}

	send(event: 'steps' | 'run' | 'end', data: unknown): void {
		if (this.#all.size === 0) return;
		const text = message(event, data);
		for (const [response, {behindSince}] of this.#all) {
			if (behindSince === undefined) {
				if (!response.write(text)) this.#all.set(response, {behindSince: performance.now()});
			} else if (performance.now() - behindSince > patience) response.destroy();
		}
	}
}

const message = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
