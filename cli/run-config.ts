// What config.json tells of a run, and how a resumed run takes its settings from there.
import type {Command} from 'commander';
import {checked, fields, listOf, optional, recordOf, refusalOf, shortened, text, unknown} from '../lib/base/check.ts';
import {AlexNetError} from '../lib/base/errors.ts';
import {deviceInUse} from '../lib/device/device.ts';
import {reasonOf} from '../lib/base/files.ts';
import type {AlexNet} from '../lib/index.ts';
import {isToldElsewhere} from './net-choice.ts';
import type {RunConfig} from '../lib/run/run-files.ts';
import {packageVersion} from '../lib/base/package.ts';
import {CheckedOption} from './parse.ts';

/** Options of `train` that belong to the call, not to the run. */
const ofTheCall = new Set([
	'out',
	'resume',
	'json',
	'strict',
	'batchSizePerRank',
	'saveEverySteps',
	'saveEveryMinutes',
	'watch',
	'watchHost',
]);

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

/** What a resumed run takes from config.json. */
export interface SavedConfig {
	/** Options of `train` by name, and the folder of pictures. */
	readonly settings: Readonly<Record<string, unknown>>;
	readonly labels: readonly string[];
	readonly startedAt?: string;
}

const savedConfigCheck = fields<SavedConfig>({
	settings: recordOf(unknown),
	labels: listOf(text),
	startedAt: optional(text),
});

/** @throws ALEXNET_RUN where config.json does not say what a resumed run needs to know. */
export function savedConfig(path: string, config: RunConfig): SavedConfig {
	try {
		return checked('config.json', savedConfigCheck, config);
	} catch (error) {
		throw unusable(path, `is damaged: ${reasonOf(error)}`);
	}
}

/**
 * The options of a resumed run: those it was started with, more epochs, another device or number of threads where the
 * command line asks for that, and what belongs to the call.
 *
 * @throws ALEXNET_ARGUMENT where the command line contradicts the run; ALEXNET_RUN where `config` does not say enough.
 */
export function resumedOptions<T extends object>(command: Command, options: T, path: string, config: RunConfig): T {
	const {settings} = savedConfig(path, config);
	const names = new Set(['folder', ...command.options.map((option) => option.attributeName())]);
	const added = Object.keys(settings).find((name) => !names.has(name));
	if (added !== undefined)
		throw unusable(path, `has a setting '${shortened(added)}', which this version does not know`);
	const given = options as Readonly<Record<string, unknown>>;
	const result: Record<string, unknown> = {...given};
	for (const option of command.options) {
		const name = option.attributeName();
		if (ofTheCall.has(name)) continue;
		const [saved, now] = [settings[name], given[name]];
		const isSaved = saved !== undefined || isToldElsewhere(settings, name);
		if (!isSaved && option.defaultValue !== undefined)
			throw unusable(path, `does not say what ${name} the run was started with`);
		if (saved !== undefined && option instanceof CheckedOption && refusalOf(option.check, saved) !== undefined) {
			throw unusable(path, `says that ${name} was ${inJson(saved)}, which it cannot have been`);
		}
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
	const was = saved === undefined ? 'without it' : `with ${inJson(saved)}`;
	const advice =
		flag === '--epochs' ? 'The number of epochs can only be raised.' : 'Leave it out, or start another run (--out).';
	const message = `${flag} is ${inJson(now)}, but the run in '${path}' was started ${was}. ${advice}`;
	return new AlexNetError('ALEXNET_ARGUMENT', message);
}

const inJson = (value: unknown): string => shortened(JSON.stringify(value));

function unusable(path: string, what: string): AlexNetError {
	const message =
		`config.json in '${path}' ${what}: it was changed, or written by another version, or not by \`alexnet train\`. ` +
		'Start a new run (--out).';
	return new AlexNetError('ALEXNET_RUN', message);
}
