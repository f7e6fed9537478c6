// Ends worker threads in the middle of their work, several at a time, while this thread predicts as well. Prints what
// memory the process holds, and exits with 0 where every worker ended as it should and every prediction was right.
import {deepEqual} from 'node:assert/strict';
import {once} from 'node:events';
import {readFile} from 'node:fs/promises';
import {argv, memoryUsage, stdout} from 'node:process';
import {Worker} from 'node:worker_threads';
import {Model} from '../../lib/net/model.ts';
import {tinyNet} from '../../lib/selftest/networks.ts';
import {children} from './children.ts';
import type {WorkerData} from './terminated-worker.ts';

const [file, device, folder, rounds] = argv.slice(2) as [string, string, string, string];
const picture = await readFile(`${folder}/red/0.png`);
const workers: readonly (Pick<WorkerData, 'works'> & {until: string; exits: boolean})[] = [
	{works: ['predict'], until: 'working', exits: false},
	{works: ['step'], until: 'working', exits: false},
	{works: ['classify'], until: 'working', exits: false},
	{works: ['train'], until: 'working', exits: false},
	{works: ['predict', 'step'], until: 'loading', exits: false},
	{works: ['predict', 'step', 'classify'], until: 'working', exits: true},
];

const model = new Model({architecture: tinyNet(), labels: ['a', 'b', 'c'], batchSize: 4, devices: device});
await model.initialize();
const pixels = new Uint8Array(32 * 32 * 3).fill(50);
const right = await model.predict(pixels);
const resident: number[] = [memoryUsage.rss()];

for (let round = 0; round < Number(rounds); ++round) {
	const threads = await Promise.all(
		workers.map(async ({until, works}) => {
			const thread = new Worker(file, {workerData: {works, device, folder, picture} satisfies WorkerData});
			for (let said; said !== until;) [said] = (await once(thread, 'message')) as [string];
			return thread;
		}),
	);
	if (round === 0) resident.push(memoryUsage.rss());
	for (let delay = 0; delay < round % 7; ++delay) deepEqual(await model.predict(pixels), right);
	const codes = await Promise.all(
		threads.map(async (thread, index) => {
			if (!workers[index]?.exits) return thread.terminate();
			thread.postMessage('exit');
			return ((await once(thread, 'exit')) as [number])[0];
		}),
	);
	deepEqual(
		codes,
		workers.map(() => 1),
	);
	resident.push(memoryUsage.rss());
}
deepEqual(await model.predict(pixels), right);
await model.dispose();
deepEqual(children(), [], 'processes that workers started are left');
stdout.write(JSON.stringify(resident));
