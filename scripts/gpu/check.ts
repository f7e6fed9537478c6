// What scripts/gpu-check runs: every part of parts.ts, into a folder of results with a table.
import {spawnSync} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {availableParallelism} from 'node:os';
import {join, resolve} from 'node:path';
import {parseArgs} from 'node:util';
import {table} from '../../cli/format.ts';
import {pythonWithTorch} from '../../test/helpers/torch.ts';
import {devicesPart, leftOut, partsFor, type CheckedDevice, type Part} from './parts.ts';
import {endAllParts, runPart, type PartResult} from './run-part.ts';

const usage = `scripts/gpu-check [options]
  --device <id>      the device to check (default: cuda:0)
  --out <folder>     where the results go (default: build/gpu-check)
  --only <names>     parts, with commas between (default: all)
  --minutes <number> most that all may take together (default: 8)
Every part leaves a log, and those that measure a file of JSON. Ends with code 1 where a part failed or was too slow.`;

/** Cores that a part keeps busy while it computes what is right. */
const coresOfPart = 4;

const {values: options} = parseArgs({
	options: {
		device: {type: 'string', default: 'cuda:0'},
		out: {type: 'string', default: 'build/gpu-check'},
		only: {type: 'string'},
		minutes: {type: 'string', default: '8'},
		help: {type: 'boolean', default: false},
	},
});

class Check {
	readonly #folder: string;
	readonly #only: readonly string[] | undefined;
	readonly #end: number;
	readonly #results: PartResult[] = [];

	constructor(folder: string, only: readonly string[] | undefined, minutes: number) {
		this.#folder = folder;
		this.#only = only;
		this.#end = performance.now() + minutes * 60_000;
		mkdirSync(folder, {recursive: true});
	}

	async run(id: string): Promise<readonly PartResult[]> {
		const first = await this.#runOne(devicesPart);
		if (first.outcome !== 'passed') return this.#results;
		const device = checkedDevice(id, readFileSync(join(this.#folder, 'devices.json'), 'utf8'));
		if (device === undefined) {
			this.#tell({name: 'device', outcome: 'failed', seconds: 0, note: `there is no ${id} here, see devices.log`});
			return this.#results;
		}
		const parts = this.#chosen(device);
		const atOnce = Math.max(1, Math.floor(availableParallelism() / coresOfPart));
		const isAlone = (part: Part): boolean => part.isAlone === true;
		await this.#runBeside(
			parts.filter((part) => !isAlone(part)),
			atOnce,
		);
		await this.#runBeside(parts.filter(isAlone), 1);
		return this.#results;
	}

	#chosen(device: CheckedDevice): Part[] {
		const python = pythonWithTorch();
		const sanitizer = spawnSync('compute-sanitizer', ['--version']).status === 0;
		const reasons = leftOut(device, {sanitizer, torch: python !== undefined});
		return partsFor(device, python).filter(({name}) => {
			if (this.#only?.includes(name) === false) return false;
			const note = reasons[name];
			if (note !== undefined) this.#tell({name, outcome: 'left out', seconds: 0, note});
			return note === undefined;
		});
	}

	async #runBeside(parts: readonly Part[], atOnce: number): Promise<void> {
		const waiting = [...parts];
		const work = async (): Promise<void> => {
			for (let part = waiting.shift(); part; part = waiting.shift()) await this.#runOne(part);
		};
		await Promise.all(Array.from({length: atOnce}, work));
	}

	async #runOne(part: Part): Promise<PartResult> {
		const seconds = Math.min(part.seconds, (this.#end - performance.now()) / 1000);
		if (seconds >= 1) return this.#tell(await runPart(part, this.#folder, seconds));
		return this.#tell({name: part.name, outcome: 'timed out', seconds: 0, note: 'no time was left for it'});
	}

	#tell(result: PartResult): PartResult {
		this.#results.push(result);
		console.log(`${result.name}: ${result.outcome} (${result.seconds.toFixed(0)} s)`);
		return result;
	}
}

function checkedDevice(id: string, json: string): CheckedDevice | undefined {
	const {devices} = JSON.parse(json) as {devices: CheckedDevice[]};
	return devices.find((device) => device.id === id);
}

function summary(results: readonly PartResult[]): string {
	const rows = results.map(({name, outcome, seconds, note}) => [name, outcome, seconds.toFixed(0), note.slice(0, 140)]);
	return table(['part', 'outcome', 'seconds', 'what it said last'], rows);
}

/** What is wrong with the options, if anything. */
function mistake(): string | undefined {
	if (!(Number(options.minutes) > 0)) return `--minutes must be a number above 0, got '${options.minutes}'.`;
	// The names are the same for every kind of device.
	const parts = [devicesPart, ...partsFor({id: 'cpu:0', kind: 'cpu', isSimulated: false})];
	const names = parts.map(({name}) => name);
	const unknown = options.only?.split(',').find((name) => !names.includes(name));
	if (unknown === undefined) return undefined;
	return `--only: there is no part '${unknown}'. Parts: ${names.join(', ')}.`;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
	process.on(signal, () => {
		endAllParts();
		process.exit(1);
	});
}

const wrong = mistake();
if (options.help) console.log(usage);
else if (wrong !== undefined) {
	console.error(wrong);
	process.exitCode = 2;
} else {
	const folder = resolve(options.out);
	const results = await new Check(folder, options.only?.split(','), Number(options.minutes)).run(options.device);
	const text = summary(results);
	writeFileSync(join(folder, 'summary.txt'), `${text}\n`);
	writeFileSync(join(folder, 'summary.json'), `${JSON.stringify(results, undefined, '\t')}\n`);
	console.log(`\n${text}\n\nResults: ${folder}`);
	if (results.some(({outcome}) => outcome === 'failed' || outcome === 'timed out')) process.exitCode = 1;
}
