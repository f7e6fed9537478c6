// A page in Chromium without a screen, through its debugging pipe: what it shows, and what it complains of.
import {spawn, type ChildProcess} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Readable, Writable} from 'node:stream';

/** Undefined where there is none: tests that need one are skipped then, and say so. */
export const chromium = ['chromium', 'chromium-browser', 'google-chrome']

	.flatMap((name) => ['/usr/bin', '/usr/local/bin', '/snap/bin'].map((folder) => join(folder, name)))
	.find((path) => existsSync(path));

interface Message {
	id?: number;
	method?: string;
	params?: Record<string, unknown>;
	result?: Record<string, unknown>;
	error?: {message: string};
	sessionId?: string;
}

export interface View {
	width: number;
	height: number;
	dark?: boolean;
}

export class Browser {
	/** What pages have complained of: exceptions, errors on the console, refusals of their policy. */
	readonly complaints: string[] = [];
	readonly #process: ChildProcess;
	readonly #profile: string;
	readonly #waiting = new Map<
		number,
		{resolve: (result: Record<string, unknown>) => void; reject: (error: Error) => void}
	>();
	readonly #listeners = new Set<(message: Message) => void>();
	#last = 0;

	private constructor(process: ChildProcess, profile: string) {
		this.#process = process;
		this.#profile = profile;
		let text = '';
		(process.stdio[4] as Readable).setEncoding('utf8').on('data', (chunk: string) => {
			text += chunk;
			for (let end = text.indexOf('\0'); end >= 0; end = text.indexOf('\0')) {
				this.#take(JSON.parse(text.slice(0, end)) as Message);
				text = text.slice(end + 1);
			}
		});
	}

	static async start(): Promise<Browser> {
		const profile = await mkdtemp(join(tmpdir(), 'alexnet-chromium-'));
		const flags = [
			'--headless',
			'--hide-scrollbars',
			'--no-sandbox',
			'--disable-gpu',
			'--remote-debugging-pipe',
			'--no-first-run',
		];
		const process = spawn(chromium ?? '', [...flags, `--user-data-dir=${profile}`, 'about:blank'], {
			stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
		});
		return new Browser(process, profile);
	}

	/** Opens a page and waits until it has loaded. */
	async open(url: string, {width, height, dark = false}: View): Promise<Tab> {
		const {targetId} = await this.send('Target.createTarget', {url: 'about:blank'});
		const {sessionId} = (await this.send('Target.attachToTarget', {targetId, flatten: true})) as {sessionId: string};
		const tab = new Tab(this, sessionId);
		const metrics = {width, height, deviceScaleFactor: 1, mobile: width < 600};
		await tab.send('Emulation.setDeviceMetricsOverride', metrics);
		const features = [{name: 'prefers-color-scheme', value: dark ? 'dark' : 'light'}];
		await tab.send('Emulation.setEmulatedMedia', {features});
		for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await tab.send(`${domain}.enable`);
		const loaded = this.#event(sessionId, 'Page.loadEventFired');
		await tab.send('Page.navigate', {url});
		await loaded;
		return tab;
	}

	async send(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
		const id = ++this.#last;
		const answer = new Promise<Record<string, unknown>>((resolve, reject) => this.#waiting.set(id, {resolve, reject}));
		(this.#process.stdio[3] as Writable).write(`${JSON.stringify({id, method, params, sessionId})}\0`);
		return answer;
	}

	async close(): Promise<void> {
		const ended = new Promise((resolve) => this.#process.on('close', resolve));
		this.#process.kill('SIGKILL');
		await ended;
		await rm(this.#profile, {recursive: true, force: true, maxRetries: 5});
	}

	async #event(sessionId: string, method: string): Promise<void> {
		return new Promise((resolve) => {
			const listener = (message: Message): void => {
				if (message.method !== method || message.sessionId !== sessionId) return;
				this.#listeners.delete(listener);
				resolve();
			};
			this.#listeners.add(listener);
		});
	}

	#take({id, method, params = {}, result = {}, error, sessionId}: Message): void {
		if (id !== undefined) {
			const waiting = this.#waiting.get(id);
			this.#waiting.delete(id);
			if (error) waiting?.reject(new Error(error.message));
			else waiting?.resolve(result);
			return;
		}
		for (const listener of this.#listeners)
			listener({...(method !== undefined && {method}), params, ...(sessionId !== undefined && {sessionId})});
		const isError = method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded';
		if (isError || (method === 'Runtime.consoleAPICalled' && params.type === 'error')) {
			this.complaints.push(JSON.stringify(params));
		}
	}
}

export class Tab {
	readonly #browser: Browser;
	readonly #session: string;

	constructor(browser: Browser, session: string) {
		this.#browser = browser;
		this.#session = session;
	}

	async send(method: string, params: object = {}): Promise<Record<string, unknown>> {
		return this.#browser.send(method, params, this.#session);
	}

	/** The value of an expression in the page, which may be a promise. */
	async evaluate<T>(expression: string): Promise<T> {
		const options = {expression, awaitPromise: true, returnByValue: true};
		const {result, exceptionDetails} = await this.send('Runtime.evaluate', options);
		if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
		return (result as {value: T}).value;
	}

	/** Of the whole page, as a PNG. */
	async screenshot(): Promise<Buffer> {
		const {data} = await this.send('Page.captureScreenshot', {captureBeyondViewport: true});
		return Buffer.from(data as string, 'base64');
	}
}
