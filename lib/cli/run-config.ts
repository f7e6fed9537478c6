// What config.json tells of a run, and how a resumed run takes its settings from there.
import type {Command} from 'commander';
import {AlexNetError} from '../errors.ts';
import {deviceInUse} from '../device.ts';
import type {AlexNet} from '../index.ts';
import type {RunConfig} from '../run-folder.ts';
import {packageVersion} from '../package.ts';

/** Options of `train` that belong to the call, not to the run. */
const ofTheCall = new Set(['out', 'resume', 'json', 'strict', 'saveEverySteps', 'saveEveryMinutes']);

/** @param settings what the run is started with, by the names of train's options */
export function describeConfig(
	model: AlexNet,
	pictures: {train: {size: number}; validation: {size: number}},
	settings: object,
): RunConfig {
	return {
		startedAt: new Date().toISOString(),
		versions: {'alexnet-cuda': packageVersion, node: process.versions.node},
		devices: model.devices.map((id) => deviceInUse(id, model.threads)),
		settings: Object.fromEntries(Object.entries(settings).filter(([name]) => !ofTheCall.has(name))),
		pictures: {train: pictures.train.size, validation: pictures.validation.size},
		labels: model.labels,
	};
}

/**
 * The options of a resumed run: those it was started with, more epochs, another device or number of threads where the command line asks
 * for that, and what belongs to the call.
 *
 * @throws ALEXNET_ARGUMENT where the command line contradicts the run; ALEXNET_RUN where `config` does not say enough.
 */
export function resumedOptions<T extends object>(command: Command, options: T, path: string, config: RunConfig): T {
	const settings = (config.settings ?? {}) as Readonly<Record<string, unknown>>;
	const given = options as Readonly<Record<string, unknown>>;
	const result: Record<string, unknown> = {...given};
	for (const option of command.options) {
		const name = option.attributeName();
		if (ofTheCall.has(name)) continue;
		const [saved, now] = [settings[name], given[name]];
		if (saved === undefined && option.defaultValue !== undefined) throw incomplete(path, name);
		result[name] = saved;
		if (command.getOptionValueSource(name) !== 'cli' || JSON.stringify(saved) === JSON.stringify(now)) continue;
		if (!mayChange(name, saved, now)) throw contradiction(path, option.long ?? name, saved, now);
		result[name] = now;
	}
	return result as T;
}

/** More epochs continue a run; another device or number of threads too, though not bit for bit. */
function mayChange(name: string, saved: unknown, now: unknown): boolean {
	return name === 'device' || name === 'threads' || (name === 'epochs' && Number(now) > Number(saved));
}

function contradiction(path: string, flag: string, saved: unknown, now: unknown): AlexNetError {
	const was = saved === undefined ? 'without it' : `with ${JSON.stringify(saved)}`;
	const advice =
		flag === '--epochs' ? 'The number of epochs can only be raised.' : 'Leave it out, or start another run (--out).';
	const message = `${flag} is ${JSON.stringify(now)}, but the run in '${path}' was started ${was}. ${advice}`;
	return new AlexNetError('ALEXNET_ARGUMENT', message);
}

function incomplete(path: string, name: string): AlexNetError {
	const message =
		`config.json in '${path}' does not say what ${name} the run was started with: it was written by another ` +
		'version, or not by `alexnet train`. Start a new run (--out).';
	return new AlexNetError('ALEXNET_RUN', message);
}
