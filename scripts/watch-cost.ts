// What it costs training that a run is watched: CPU time of a step's report, at a hundred steps a second.
import {fork} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {RunFolder, type RecordedReport} from '../lib/index.ts';
import {WatchServer} from '../lib/report/watch-server.ts';

const steps = 1000;
let made = 0;

function report(): RecordedReport {
	const [step, random] = [++made, Math.random()];
	return {
		...{type: 'step', step, epoch: 1, stepOfEpoch: step, stepsPerEpoch: 1e6, loss: random, top1: random, top5: 1},
		...{learningRate: 0.01, imagesPerSecond: 1000 * random, diverged: false, elapsedSeconds: step / 100},
	};
}

/** Microseconds of CPU time a step, of this process. */
async function cost(take: (report: RecordedReport) => void): Promise<number> {
	const before = process.cpuUsage();
	for (let step = 0; step < steps; ++step) {
		take(report());
		await setTimeout(10);
	}
	const {user, system} = process.cpuUsage(before);
	return (user + system) / steps;
}

/** Opens the page's events and reads them, in a process of its own. */
async function follow(url: string): Promise<void> {
	const page = await (await fetch(url)).text();
	const [, token = ''] = /"token":"([^"]+)"/.exec(page) ?? [];
	const {body} = await fetch(`${url}events?token=${token}`);
	process.send?.('reading');
	const reader = body?.getReader();
	while ((await reader?.read())?.done === false);
}

const [url] = process.argv.slice(2);
if (url !== undefined) {
	await follow(url);
} else {
	const folder = await mkdtemp(join(tmpdir(), 'alexnet-'));
	const run = join(folder, 'run');
	await (await RunFolder.create(run, {})).close();
	const server = await WatchServer.open({run, port: 0, host: '127.0.0.1', onStop: () => undefined});
	const add = server.add.bind(server);
	await cost(add); // compiles what follows
	const alone = await cost(() => undefined);
	const unseen = await cost(add);
	const reader = fork(fileURLToPath(import.meta.url), [server.url]);
	await once(reader, 'message');
	const watched = await cost(add);
	reader.kill();
	await server.close('');
	await rm(folder, {recursive: true});
	const more = (micros: number): string => `${(micros - alone).toFixed(0)} µs`;
	console.log(
		`CPU time that a step costs more: ${more(unseen)} with nobody watching, ${more(watched)} with one page open`,
	);
}
