// A net on GPUs whose memory is more and more taken by something else, for memory.slow.test.ts: prints, as JSON, what it
// came to with each number of free bytes.
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {argv, stdout} from 'node:process';
import {isAlexNetError, messageOf} from '../../lib/base/errors.ts';
import {saveCheckpoint} from '../../lib/checkpoint/checkpoint.ts';
import {openDevice} from '../../lib/device/device.ts';
import type {Precision} from '../../lib/net/options.ts';
import {evaluate} from '../../lib/training/evaluate.ts';
import {meetingNet, tinyModel, tinyPictures, tinySource} from '../helpers/networks.ts';

export interface Attempt {
	free: number;
	/** 'whole', or which part has failed, and how. */
	outcome: string;
}

/** What the memory is handed out in, and by how much less of it is free each time. */
const step = 2 ** 21;
const batchSize = 16;

const [precision, ...devices] = argv.slice(2) as [Precision, ...string[]];
const folder = mkdtempSync(join(tmpdir(), 'alexnet-memory-'));
const others = [...new Set(devices)].map((id) => openDevice(id));
const all = others[0]!.freeBytes();
const attempts: Attempt[] = [];
for (let free = all - step; free >= step; free -= step) {
	attempts.push({free, outcome: await attempt(free)});
	if (attempts.at(-1)!.outcome.startsWith('net')) break;
}
rmSync(folder, {recursive: true});
stdout.write(JSON.stringify(attempts));

async function attempt(free: number): Promise<string> {
	const fillers = others.map((device) => device.allocate([(all - free) / step, step], 'uint8'));
	let part = 'net';
	try {
		await using model = await tinyModel({architecture: meetingNet(), devices, precision, batchSize});
		part = 'first step';
		const {images, labels} = tinyPictures(batchSize, 'memory');
		await model.trainStep({images, labels});
		part = 'second step';
		await model.trainStep({images, labels});
		part = 'evaluation';
		await evaluate(model, tinySource(batchSize + 7, 'memory'));
		part = 'checkpoint';
		await saveCheckpoint(model, join(folder, 'net.safetensors'));
		part = 'third step';
		await model.trainStep({images, labels});
		return 'whole';
	} catch (error) {
		if (!isAlexNetError(error, 'ALEXNET_MEMORY')) throw error;
		return `${part}: ${messageOf(error)}`;
	} finally {
		for (const filler of fillers) filler.dispose();
	}
}
