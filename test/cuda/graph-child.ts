// Training of a small net on simulated GPUs, for graph.slow.test.ts: prints, as JSON, all that must not depend on whether
// GPUs are given graphs.
import {createHash} from 'node:crypto';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process, {argv, stdout} from 'node:process';
import {isAlexNetError} from '../../lib/base/errors.ts';
import {loadCheckpoint, saveCheckpoint} from '../../lib/checkpoint/checkpoint.ts';
import {Model} from '../../lib/net/model.ts';
import type {ModelOptions} from '../../lib/net/options.ts';
import {evaluate} from '../../lib/training/evaluate.ts';
import {meetingNet, tinyModel, tinyPictures, tinySource} from '../helpers/networks.ts';

export interface Scenario {
	devices: readonly string[];
	precision: 'fp32' | 'bf16';
	/** What a run does; steps alone; steps of which each may fail. */
	name: 'course' | 'steps' | 'failing';
	freeze?: readonly string[];
}

export interface Told {
	/** What came about, in order: numbers, digests, codes of errors. */
	events: unknown[];
	warnings: string[];
	/** Bytes of tensors after dispose(). */
	bytes: number;
}

const told: Told = {events: [], warnings: [], bytes: NaN};
const say = (event: unknown): void => void told.events.push(event);
process.on('warning', ({message}) => told.warnings.push(message));

const scenario = JSON.parse(argv[2]!) as Scenario;
const folder = mkdtempSync(join(tmpdir(), 'alexnet-graph-'));
const file = join(folder, 'net.safetensors');

function netOf(): Promise<Model> {
	const net = meetingNet();
	const at = net.layers.findIndex(({name}) => name === 'fc6');
	const dropout = {type: 'dropout', name: 'dropout5', rate: 0.5} as const;
	const architecture = {...net, layers: [...net.layers.slice(0, at), dropout, ...net.layers.slice(at)]};
	const {devices, precision, freeze = []} = scenario;
	const options: Partial<ModelOptions> = {architecture, devices, precision, freeze, batchSize: 8};
	return tinyModel(options);
}

let batches = 0;
async function steps(model: Model, count: number, size: number, update = true): Promise<void> {
	for (let step = 0; step < count; ++step) {
		say(await model.trainStep({...tinyPictures(size, `graph ${batches++}`), update}));
	}
}

async function digest(model: Model): Promise<void> {
	const hash = createHash('sha256');
	for (const values of (await model.getParameters()).values()) hash.update(values);
	for (const values of (await model.gradients()).values()) hash.update(values);
	say(hash.digest('hex'));
}

async function attempt(work: () => Promise<void>): Promise<void> {
	try {
		await work();
	} catch (error) {
		if (!isAlexNetError(error)) throw error;
		say({code: error.code, message: error.message});
	}
}

const scenarios: Record<Scenario['name'], (model: Model) => Promise<Model>> = {
	/** Whole batches, a smaller one at the end, other rates, evaluation and saving between, and going on from the file. */
	async course(model) {
		await steps(model, 5, 8);
		await digest(model);
		model.sgd = {...model.sgd, learningRate: 0.001, momentum: 0.8};
		say((await evaluate(model, tinySource(19, 'graph'))).loss);
		await steps(model, 2, 8);
		await steps(model, 1, 5);
		await saveCheckpoint(model, file);
		say(createHash('sha256').update(readFileSync(file)).digest('hex'));
		await steps(model, 3, 8);
		await steps(model, 1, 8, false);
		await digest(model);
		await model.dispose();
		const resumed = await loadCheckpoint(file, {devices: scenario.devices}, (options) => new Model(options));
		await steps(resumed, 4, 8);
		await digest(resumed);
		return resumed;
	},
	async steps(model) {
		await steps(model, 6, 8);
		await digest(model);
		return model;
	},
	async failing(model) {
		for (let step = 0; step < 6; ++step) await attempt(() => steps(model, 1, 8));
		await attempt(() => digest(model));
		return model;
	},
};

const model = await scenarios[scenario.name](await netOf());
await model.dispose();
told.bytes = model.memory.bytes;
rmSync(folder, {recursive: true});
stdout.write(JSON.stringify(told));
