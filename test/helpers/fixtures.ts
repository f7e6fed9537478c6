// The files that scripts/make-fixtures.py writes, and how a model is compared with them.
import {open, type FileHandle} from 'node:fs/promises';
import {classesOf, type Architecture} from '../../lib/net/architecture.ts';
import {Model} from '../../lib/net/model.ts';
import type {Precision} from '../../lib/net/options.ts';
import type {SgdSettings} from '../../lib/net/sgd.ts';

type Numbers = Float64Array | Float32Array | Int32Array | Uint8Array;

interface Entry {
	dtype: 'F64' | 'F32' | 'I32' | 'U8';
	shape: number[];
	data_offsets: [number, number];
}

interface Description {
	architecture: Architecture;
	options: SgdSettings & {seed: number; batchSize: number};
	/** How far rounding takes each result from the exact one: L2 norm, root mean square over random roundings. */
	spread: Record<'fp32' | 'bf16', Record<string, number>>;
}

/** What a model is made from, read from a fixture; tests of the tests change it. */
export interface Setup extends Pick<Description, 'architecture' | 'options'> {
	images: Uint8Array;
	labels: Int32Array;
	mean: Float32Array;
	parameters: Map<string, Float32Array>;
}

/** Results by name: `probabilities`, `logits`, `loss`, `losses`, `gradient.<name>`, `final.<name>`. */
export type Results = Map<string, ArrayLike<number>>;

/** Steps of a trajectory. */
const steps = 10;

/** How many spreads a result may lie from the exact one. Rounding to nearest lies at 1.5 or less (see the script). */
const limit = 4;

export class Fixture {
	readonly description: Description;
	readonly #file: FileHandle;
	readonly #entries: ReadonlyMap<string, Entry>;
	readonly #start: number;

	private constructor(file: FileHandle, header: string, start: number) {
		const {__metadata__: metadata, ...entries} = JSON.parse(header) as Record<string, Entry> & {
			__metadata__: {fixture: string};
		};
		this.description = JSON.parse(metadata.fixture) as Description;
		this.#file = file;
		this.#entries = new Map(Object.entries(entries));
		this.#start = start;
	}

	/** @param file a name in test/fixtures/, or the address of another place */
	static async open(file: string | URL): Promise<Fixture> {
		const handle = await open(new URL(file, new URL('../fixtures/', import.meta.url)), 'r');
		const length = Number((await readFully(handle, 8, 0)).readBigUInt64LE());
		return new Fixture(handle, (await readFully(handle, length, 8)).toString(), 8 + length);
	}

	/** Names of the results. */
	get names(): string[] {
		return Object.keys(this.description.spread.fp32);
	}

	async read(name: string): Promise<Numbers> {
		const entry = this.#entries.get(name);
		if (!entry) throw new Error(`The fixture has no ${name}.`);
		const [start, end] = entry.data_offsets;
		const {buffer} = await readFully(this.#file, end - start, this.#start + start);
		const views = {F64: Float64Array, F32: Float32Array, I32: Int32Array, U8: Uint8Array};
		return new views[entry.dtype](buffer);
	}

	async setup(): Promise<Setup> {
		const {architecture, options} = this.description;
		const parameters = new Map<string, Float32Array>();
		for (const name of this.#entries.keys()) {
			const [kind, ...rest] = name.split('.');
			if (kind === 'initial') parameters.set(rest.join('.'), (await this.read(name)) as Float32Array);
		}
		return {
			architecture,
			options,
			images: (await this.read('images')) as Uint8Array,
			labels: (await this.read('labels')) as Int32Array,
			mean: (await this.read('mean')) as Float32Array,
			parameters,
		};
	}

	/** The results that are too far from the exact ones, as sentences. */
	async differences(results: Results, precision: Precision): Promise<string[]> {
		const found: string[] = [];
		for (const name of this.names) {
			const spread = this.#spread(precision, name);
			const spreads = distance(results.get(name) ?? [], await this.read(name)) / spread;
			if (!(spreads <= limit)) found.push(`${name} is ${spreads.toFixed(1)} spreads away`);
		}
		return found;
	}

	/**
	 * TF32 rounds operands to three bits more than bf16, and nothing that is stored. Outputs follow rounding steadily. A
	 * gradient jumps where it tips a ReLU or the lead of a window over: more rarely than in bf16, but as far.
	 */
	#spread(precision: Precision, name: string): number {
		const {spread} = this.description;
		if (precision !== 'tf32') return spread[precision][name]!;
		return ['probabilities', 'logits', 'loss'].includes(name) ? spread.bf16[name]! / 2 ** 3 : spread.bf16[name]!;
	}

	async close(): Promise<void> {
		await this.#file.close();
	}
}

/** A model that stands where the fixture's net starts. */
export async function modelOf(setup: Setup, precision: Precision, devices: string): Promise<Model> {
	const {architecture, options, mean, parameters} = setup;
	const labels = Array.from({length: classesOf(architecture)}, (_, index) => `class ${index}`);
	const model = new Model({architecture, labels, devices, precision, ...options});
	await model.setParameters(parameters);
	model.statistics = {...model.statistics, mean};
	return model;
}

/** Does with a model what the script does with its reference. */
export async function observe(setup: Setup, precision: Precision, devices: string): Promise<Results> {
	const {images, labels} = setup;
	await using model = await modelOf(setup, precision, devices);
	const results: Results = new Map();
	const probabilities = await model.predict(images);
	results.set('probabilities', probabilities);
	results.set('logits', centredLogits(probabilities, model.classes));
	const {loss} = await model.trainStep({images, labels, augment: 'none', update: false});
	results.set('loss', [loss]);
	for (const [name, value] of await model.gradients()) results.set(`gradient.${name}`, value);
	const losses: number[] = [];
	for (let step = 0; step < steps; ++step) {
		losses.push((await model.trainStep({images, labels, augment: 'none'})).loss);
	}
	results.set('losses', losses);
	for (const [name, value] of await model.getParameters()) results.set(`final.${name}`, value);
	return results;
}

/** Whether the last three losses are clearly lower than the first three. */
export function falls(losses: ArrayLike<number>): boolean {
	const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
	const all = Array.from(losses);
	return all.length === steps && sum(all.slice(-3)) < 0.8 * sum(all.slice(0, 3));
}

/** Logarithms of [N, classes] probabilities, each row's mean subtracted: the logits up to what softmax does not see. */
function centredLogits(probabilities: Float32Array, classes: number): Float64Array {
	const logits = Float64Array.from(probabilities, Math.log);
	for (let start = 0; start < logits.length; start += classes) {
		const row = logits.subarray(start, start + classes);
		const mean = row.reduce((sum, value) => sum + value, 0) / classes;
		for (let index = 0; index < classes; ++index) row[index]! -= mean;
	}
	return logits;
}

/** L2 norm of the difference; NaN where the lengths differ. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
	if (a.length !== b.length) return NaN;
	let squares = 0;
	for (let index = 0; index < a.length; ++index) squares += (a[index]! - b[index]!) ** 2;
	return Math.sqrt(squares);
}

async function readFully(file: FileHandle, length: number, position: number): Promise<Buffer<ArrayBuffer>> {
	const bytes = Buffer.from(new ArrayBuffer(length));
	for (let done = 0; done < length;) {
		const {bytesRead} = await file.read(bytes, done, length - done, position + done);
		if (bytesRead === 0) throw new Error('The fixture was cut short; make it again with scripts/make-fixtures.py.');
		done += bytesRead;
	}
	return bytes;
}
