import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {hostname} from 'node:os';
import {AlexNetError} from '../base/errors.ts';
import {codeOf, reasonOf} from '../base/files.ts';
import {packageVersion} from '../base/package.ts';
import type {RecordedReport} from '../run/metrics.ts';
import {pageOf} from './page.ts';
import {RunReader, stepRow} from './read-run.ts';
import type {ReportData, RunData, StepRow} from './report-data.ts';
import {isLoopback, WatchAccess} from './watch-access.ts';
import {Watchers} from './watchers.ts';

export interface WatchOptions {
	/** The run folder. */
	run: string;
	/** 0 for any that is free. */
	port: number;
	host: string;
	/** Called when somebody asks for the run's end. */
	onStop: () => void;
}

/** Milliseconds between two messages about steps. */
const between = 500;
/** More steps than that between two messages are read anew as a whole. */
const mostSteps = 500;
/** Milliseconds for which those who watch may read how a run has ended. */
const farewell = 3000;

/**
 * Serves a run's report while it is under way. Training hands its reports over and waits for nobody: what is slow or dead
 * on the other side costs it nothing.
 */
export class WatchServer {
	readonly #options: WatchOptions;
	readonly #reader: RunReader;
	readonly #server: Server;
	readonly #access: WatchAccess;
	readonly #watchers = new Watchers();
	#steps: StepRow[] = [];
	#timer: NodeJS.Timeout | undefined;
	/** What the page shows, until there is more. */
	#shown: Promise<RunData> | undefined;

	private constructor(options: WatchOptions, reader: RunReader) {
		this.#options = options;
		this.#reader = reader;
		this.#access = new WatchAccess(options.host, () => this.#port);
		this.#server = createServer((request, response) => {
			this.#answer(request, response).catch(() => response.destroy());
		});
		this.#server.maxConnections = 64;
	}

	/** @throws ALEXNET_ARGUMENT where the port or the address cannot be had. */
	static async open(options: WatchOptions): Promise<WatchServer> {
		const watch = new WatchServer(options, await RunReader.open(options.run));
		await new Promise<void>((resolve, reject) => {
			watch.#server.once('error', reject).listen(options.port, options.host, () => resolve());
		}).catch((error: unknown) => {
			const what = codeOf(error) === 'EADDRINUSE' ? 'the port is taken' : reasonOf(error);
			const message = `The run cannot be watched at ${options.host}, port ${options.port}: ${what}. Leave the port out to have a free one.`;
			throw new AlexNetError('ALEXNET_ARGUMENT', message, {cause: error});
		});
		// A server that fails is no reason to end a run.
		watch.#server
			.removeAllListeners('error')
			.on('error', () => undefined)
			.unref();
		return watch;
	}

	get url(): string {
		const {host} = this.#options;
		const name = isLoopback(host) && !host.includes(':') ? host : ['0.0.0.0', '::'].includes(host) ? hostname() : host;
		return `http://${name.includes(':') ? `[${name}]` : name}:${this.#port}/${this.#access.query}`;
	}

	get #port(): number {
		return (this.#server.address() as AddressInfo | null)?.port ?? 0;
	}

	add(report: RecordedReport): void {
		this.#reader.add(report);
		this.#shown = undefined;
		if (report.type === 'epoch') this.#watchers.send('run', null);
		else if (this.#watchers.size > 0) {
			this.#steps.push(stepRow(report));
			this.#timer ??= setTimeout(() => this.#flush(), between).unref();
		}
	}

	/** Says how the run has ended, and closes when everybody has read it or had the time to. */
	async close(how: string): Promise<void> {
		this.#flush();
		if (this.#watchers.size > 0) {
			this.#watchers.send('end', how);
			await new Promise<void>((resolve) => {
				const timer = setTimeout(resolve, farewell);
				this.#watchers.onEmpty = () => {
					clearTimeout(timer);
					resolve();
				};
			});
		}
		const closed = new Promise((resolve) => this.#server.close(resolve));
		this.#server.closeAllConnections();
		await closed;
	}

	#flush(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		const steps = this.#steps;
		this.#steps = [];
		if (steps.length > mostSteps) this.#watchers.send('run', null);
		else if (steps.length > 0) this.#watchers.send('steps', steps);
	}

	async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		// Whatever the request names, it is looked up among four names.
		const url = new URL(request.url ?? '/', 'http://localhost');
		const refusal = this.#access.refusal(request, url);
		response.setHeader('x-content-type-options', 'nosniff');
		response.setHeader('cross-origin-resource-policy', 'same-origin');
		response.setHeader('referrer-policy', 'no-referrer');
		response.setHeader('cache-control', 'no-store');
		request.resume();
		const answers: Readonly<Record<string, () => void | Promise<void>>> = {
			'GET /': async () => this.#page(response),
			'GET /data.json': async () => this.#data(response),
			'GET /events': () => {
				if (!this.#watchers.add(response)) end(response, 503);
			},
			'POST /stop': () => {
				end(response, 204);
				this.#options.onStop();
			},
		};
		if (refusal !== undefined) end(response, refusal);
		else await (answers[`${request.method ?? ''} ${url.pathname}`] ?? (() => end(response, 404)))();
	}

	async #data(response: ServerResponse): Promise<void> {
		response.setHeader('content-type', 'application/json');
		response.end(JSON.stringify(await this.#report()));
	}

	async #page(response: ServerResponse): Promise<void> {
		const {html, policy} = await pageOf({...(await this.#report()), live: {token: this.#access.token}});
		// Nobody puts the button under another page.
		response.setHeader('content-security-policy', `${policy}; frame-ancestors 'none'`);
		response.setHeader('content-type', 'text/html; charset=utf-8');
		response.end(html);
	}

	async #report(): Promise<ReportData> {
		this.#shown ??= this.#reader.read();
		return {version: packageVersion, madeAt: new Date().toISOString(), runs: [await this.#shown]};
	}
}

function end(response: ServerResponse, status: number): void {
	response.writeHead(status).end();
}
