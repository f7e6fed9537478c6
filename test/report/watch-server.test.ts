// A run that is watched: who may see and stop it, what is told, and that nobody can hold training up.
import {once} from 'node:events';
import {createServer as createHttpServer, request} from 'node:http';
import type {IncomingMessage, OutgoingHttpHeaders, ServerResponse} from 'node:http';
import {createServer, type AddressInfo} from 'node:net';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {RunFolder, type RecordedReport} from '../../lib/index.ts';
import type {ReportData, StepRow} from '../../lib/report/report-data.ts';
import {WatchServer} from '../../lib/report/watch-server.ts';
import {isLoopback} from '../../lib/report/watch-access.ts';
import {Watchers} from '../../lib/report/watchers.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {makeRun} from '../helpers/report-run.ts';

interface Watched {
	server: WatchServer;
	url: URL;
	/** In the page, as its script has it. */
	token: string;
	stops: () => number;
}

async function watch(t: ExecutionContext, host = '127.0.0.1'): Promise<Watched> {
	const run = join(await temporaryFolder(t), 'run');
	await (await RunFolder.create(run, {labels: ['a', 'b']})).close();
	let stops = 0;
	const server = await WatchServer.open({
		run,
		port: 0,
		host,
		onStop: () => {
			++stops;
		},
	});
	t.teardown(() => server.close('The test has ended.'));
	const url = new URL(server.url);
	if (host !== '127.0.0.1') url.hostname = '127.0.0.1';
	const {text} = await get(url);
	const [, token = ''] = /"live":\{"token":"([^"]+)"\}/.exec(text) ?? [];
	t.truthy(token);
	return {server, url, token, stops: () => stops};
}

async function open(url: URL, headers: OutgoingHttpHeaders = {}, method = 'GET'): Promise<IncomingMessage> {
	const asked = request(url, {method, headers, agent: false});
	asked.end();
	const [response] = (await once(asked, 'response')) as [IncomingMessage];
	return response.setEncoding('utf8');
}

async function get(url: URL, headers?: OutgoingHttpHeaders, method?: string): Promise<{status: number; text: string}> {
	const response = await open(url, headers, method);
	let text = '';
	for await (const chunk of response) text += String(chunk);
	return {status: response.statusCode ?? 0, text};
}

const at = ({url, token}: Watched, path: string, given = token): URL => new URL(`${path}?token=${given}`, url);

const step = (number: number): RecordedReport => ({
	...{type: 'step', step: number, epoch: 1, stepOfEpoch: number, stepsPerEpoch: 10_000, loss: Math.random(), top1: 0.5},
	...{top5: 1, learningRate: 0.01, imagesPerSecond: 100, diverged: false, elapsedSeconds: number / 10},
});

/** Reads server-sent events until `count` of a kind have come. */
async function events<T>(response: IncomingMessage, kind: string, count: number): Promise<T[]> {
	const found: T[] = [];
	let text = '';
	for await (const chunk of response) {
		text += String(chunk);
		for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
			const [, event = '', data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
			text = text.slice(end + 2);
			if (event === kind) found.push(JSON.parse(data) as T);
		}
		if (found.length >= count) break;
	}
	return found;
}

test('the page is served to this machine alone, and stopped by itself alone', async (t) => {
	const watched = await watch(t);
	const {url, stops} = watched;
	t.regex(url.href, /^http:\/\/127\.0\.0\.1:\d+\/$/, 'without a token');
	const own = {origin: url.origin};
	const port = Number(url.port);
	const expected: [string, number, URL, OutgoingHttpHeaders, string][] = [
		['the page', 200, url, {}, 'GET'],
		['by its other name', 200, url, {host: `localhost:${port}`}, 'GET'],
		['from a link', 200, url, {'sec-fetch-site': 'cross-site'}, 'GET'],
		['the data', 200, at(watched, 'data.json'), {'sec-fetch-site': 'same-origin'}, 'GET'],
		['a name that was pointed here', 421, url, {host: `evil.example:${port}`}, 'GET'],
		['a name that looks like ours', 421, url, {host: `127.0.0.1.evil.example:${port}`}, 'GET'],
		['another port', 421, url, {host: `127.0.0.1:${port + 1}`}, 'GET'],
		['data without a token', 401, new URL('data.json', url), {}, 'GET'],
		['data with another token', 401, at(watched, 'data.json', 'a'.repeat(32)), {}, 'GET'],
		['events without a token', 401, new URL('events', url), {}, 'GET'],
		['data for another site', 403, at(watched, 'data.json'), {origin: 'http://evil.example'}, 'GET'],
		['data within another site', 403, at(watched, 'data.json'), {'sec-fetch-site': 'cross-site'}, 'GET'],
		['a stop from another site', 403, at(watched, 'stop'), {origin: 'http://evil.example'}, 'POST'],
		['a stop from nowhere', 403, at(watched, 'stop'), {}, 'POST'],
		['a stop from a file', 403, at(watched, 'stop'), {origin: 'null'}, 'POST'],
		['a stop without a token', 401, new URL('stop', url), own, 'POST'],
		['a stop from another site by fetch', 403, at(watched, 'stop'), {...own, 'sec-fetch-site': 'cross-site'}, 'POST'],
		['a stop by GET', 404, at(watched, 'stop'), {}, 'GET'],
		['something else', 404, at(watched, '../../etc/passwd'), {}, 'GET'],
		['a page by POST', 404, url, own, 'POST'],
	];
	for (const [what, status, target, headers, method] of expected) {
		t.is((await get(target, headers, method)).status, status, what);
	}
	t.is(stops(), 0);
	t.is((await get(at(watched, 'stop'), own, 'POST')).status, 204);
	t.is(stops(), 1);
	const {headers} = await open(url);
	t.regex(String(headers['content-security-policy']), /connect-src 'self'.*frame-ancestors 'none'/);
	t.like(headers, {'x-content-type-options': 'nosniff', 'cache-control': 'no-store', 'referrer-policy': 'no-referrer'});
});

test('for other machines there is a token in the address, without which nothing is told', async (t) => {
	const watched = await watch(t, '0.0.0.0');
	const {url, server} = watched;
	t.regex(server.url, /\?token=[\w-]{32}$/);
	t.is((await get(url)).status, 200);
	t.is((await get(new URL('/', url))).status, 401);
	t.is((await get(at(watched, '', 'b'.repeat(32)))).status, 401);
	t.is((await get(at(watched, 'stop'), {origin: 'http://evil.example'}, 'POST')).status, 403);
	t.is((await get(at(watched, 'stop'), {origin: url.origin}, 'POST')).status, 204);
});

test('loopback is what this machine alone reaches', (t) => {
	for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', '::1']) t.true(isLoopback(host), host);
	for (const host of ['0.0.0.0', '::', '192.168.0.1', '127.0.0.1.example', 'localhost.example'])
		t.false(isLoopback(host));
});

test('steps are told as they come, an epoch as something to read anew, and the end', async (t) => {
	const watched = await watch(t);
	const {server} = watched;
	const following = await open(at(watched, 'events'));
	t.is(following.headers['content-type'], 'text/event-stream');
	const reports = [step(1), step(2), step(3)];
	for (const report of reports) server.add(report);
	const [rows = []] = await events<StepRow[]>(following, 'steps', 1);
	t.deepEqual(
		rows.map(({step, loss}) => [step, loss]),
		reports.map((report) => [report.step, report.loss]),
	);
	const {runs} = JSON.parse((await get(at(watched, 'data.json'))).text) as ReportData;
	t.deepEqual(
		runs[0]?.steps.loss,
		reports.map(({loss}) => loss),
	);
	const next = await open(at(watched, 'events'));
	const epoch = {...step(10), type: 'epoch', best: true} as unknown as RecordedReport;
	server.add(epoch);
	t.is((await events(next, 'run', 1)).length, 1);
	const last = await open(at(watched, 'events'));
	const closing = server.close('Enough.');
	t.deepEqual(await events(last, 'end', 1), ['Enough.']);
	await closing;
	await t.throwsAsync(get(watched.url), {code: 'ECONNREFUSED'});
});

test('one who reads nothing is told nothing more, and then what is to be read anew; ones who break off do no harm', async (t) => {
	const watchers = new Watchers();
	const answers: ServerResponse[] = [];
	const server = createHttpServer((_, response) => {
		answers.push(response);
		t.true(watchers.add(response));
	}).listen(0, '127.0.0.1');
	t.teardown(() => server.closeAllConnections());
	t.teardown(() => server.close());
	await once(server, 'listening');
	const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
	const slow = await open(url);
	slow.pause();
	const broken = await open(url);
	broken.on('error', () => undefined).destroy();
	await once(answers[1]!, 'close');
	t.is(watchers.size, 1);
	const rows = Array.from({length: 1000}, (_, number) => step(number));
	// 100 MB, far more than the system keeps for a socket.
	for (let message = 0; message < 500; ++message) {
		watchers.send('steps', rows);
		await new Promise((resolve) => setImmediate(resolve));
	}
	t.true(answers[0]!.writableLength < 2 ** 20, `${answers[0]!.writableLength} bytes wait`);
	slow.resume();
	t.deepEqual(await events(slow, 'run', 1), [null]);
});

test('there is room for sixteen', async (t) => {
	const watched = await watch(t);
	const all = [];
	for (let number = 0; number < 16; ++number) all.push(await open(at(watched, 'events')));
	t.is((await get(at(watched, 'events'))).status, 503);
	t.is((await get(at(watched, 'data.json'))).status, 200);
	for (const response of all) response.on('error', () => undefined).destroy();
});

test('a run that goes on shows what came before', async (t) => {
	const run = join(await temporaryFolder(t), 'run');
	await makeRun(run, 1);
	const server = await WatchServer.open({run, port: 0, host: '127.0.0.1', onStop: () => undefined});
	t.teardown(() => server.close(''));
	const {text} = await get(new URL(server.url));
	t.regex(text, /"step":\[1,2,3\]/);
});

test('a port that is taken and an address that is not here are named', async (t) => {
	const run = join(await temporaryFolder(t), 'run');
	await (await RunFolder.create(run, {})).close();
	const other = createServer().listen(0, '127.0.0.1');
	await once(other, 'listening');
	t.teardown(() => other.close());
	const {port} = other.address() as AddressInfo;
	const onStop = (): void => undefined;
	const taken = {code: 'ALEXNET_ARGUMENT', message: new RegExp(`port ${port}: the port is taken`)};
	await t.throwsAsync(WatchServer.open({run, port, host: '127.0.0.1', onStop}), taken);
	const elsewhere = {code: 'ALEXNET_ARGUMENT', message: /192\.0\.2\.1/};
	await t.throwsAsync(WatchServer.open({run, port: 0, host: '192.0.2.1', onStop}), elsewhere);
});
