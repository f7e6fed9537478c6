// The model and the folder of a run, new or resumed.
import {join} from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import {chosenArchitecture} from '../lib/net/alexnet.ts';
import type {Architecture} from '../lib/net/architecture.ts';
import {environmentChanges, environmentOf} from '../lib/training/environment.ts';
import {AlexNetError} from '../lib/base/errors.ts';
import {requireSameLabels} from '../lib/training/evaluate.ts';
import {AlexNet, type AlexNetOptions, type ImageFolder} from '../lib/index.ts';
import {runFiles, type RunConfig} from '../lib/run/run-files.ts';
import {RunFolder} from '../lib/run/run-folder.ts';
import {filled} from '../lib/base/check.ts';
import {writtenSince} from '../lib/data/contents.ts';
import {runOptions} from '../lib/net/options.ts';
import {fineTuneOptions} from '../lib/training/fine-tuning.ts';
import type {Output} from './output.ts';
import {describeConfig, savedConfig} from './run-config.ts';

/** A new net, or one that begins with the weights of a checkpoint. */
export interface RunNetOptions extends AlexNetOptions {
	from?: string | undefined;
}

export interface OpenedRun {
	model: AlexNet;
	run: RunFolder;
}

/**
 * @param settings for config.json: train's options, by name
 * @throws ALEXNET_RUN where the folder holds a run already.
 */
export async function startRun(
	path: string,
	data: ImageFolder,
	options: RunNetOptions,
	settings: object,
): Promise<OpenedRun> {
	const model = await newModel(options, data);
	return opened(model, () => RunFolder.create(path, describeConfig(model, data, settings)));
}

/**
 * @param config what the run was started with; `settings` are what it goes on with
 * @throws ALEXNET_LABEL where the folder has other classes, ALEXNET_CHECKPOINT where the checkpoint is of another net.
 */
export async function resumeRun(
	path: string,
	config: RunConfig,
	data: ImageFolder,
	options: RunNetOptions,
	{settings, hasCheckpoint, output}: {settings: object; hasCheckpoint: boolean; output: Output},
): Promise<OpenedRun> {
	const {labels, startedAt: begun} = savedConfig(path, config);
	requireSameLabels({labels}, data);
	const checkpoint = join(path, runFiles.last);
	const model = hasCheckpoint
		? await AlexNet.load(checkpoint, filled(runOptions, options))
		: await newModel(options, data);
	return opened(model, async () => {
		if (hasCheckpoint) requireSameNet(checkpoint, model, options);
		warn(model, output);
		if (model.progress && begun !== undefined) await tellRewritten(data, begun, output);
		const {startedAt, ...now} = describeConfig(model, data, settings);
		return RunFolder.resume(path, {startedAt: begun ?? startedAt, ...now}, model);
	});
}

async function newModel({from, ...options}: RunNetOptions, {labels}: ImageFolder): Promise<AlexNet> {
	if (from === undefined) return AlexNet.create({...options, labels});
	return AlexNet.from(from, {...filled(fineTuneOptions, options), labels});
}

async function opened(model: AlexNet, open: () => Promise<RunFolder>): Promise<OpenedRun> {
	try {
		return {model, run: await open()};
	} catch (error) {
		await model.dispose();
		throw error;
	}
}

function warn(model: AlexNet, output: Output): void {
	if (!model.progress) return;
	const changes = environmentChanges(model.progress.environment, environmentOf(model));
	if (changes.length === 0) return;
	output.note(`warning: the run goes on, but not bit for bit as it would have: ${changes.join('; ')}.`);
}

/** A file of another size would be refused; one of the same size may be a copy, or another picture. */
async function tellRewritten({train, validation}: ImageFolder, begun: string, output: Output): Promise<void> {
	const [first, ...others] = await writtenSince([...train.pictures, ...validation.pictures], Date.parse(begun));
	if (first === undefined) return;
	const [which, whether] =
		others.length > 0 ? [`${others.length + 1} pictures were`, 'they are'] : ['1 picture was', 'it is'];
	output.note(
		`warning: ${which} written after the run began, such as ${first}. Nothing else tells whether ${whether} the same.`,
	);
}

/** @throws ALEXNET_CHECKPOINT where a checkpoint is of another run than config.json tells of. */
function requireSameNet(path: string, model: AlexNet, options: RunNetOptions): void {
	const what = foreign(model, options);
	if (what === undefined) return;
	const advice = "Put the run's own checkpoint back, or start a new run (--out).";
	throw new AlexNetError('ALEXNET_CHECKPOINT', `${path} is of ${what}. ${advice}`);
}

/** What a model is of, if it is not of the run with these options. */
function foreign({architecture, classes, seed, frozen, progress}: AlexNet, options: RunNetOptions): string | undefined {
	// Where the run began with a checkpoint, that alone told what the net is like.
	const net = options.from === undefined ? chosenArchitecture(options, classes) : architecture;
	const expected = JSON.parse(JSON.stringify(net)) as Architecture;
	const layer = expected.layers.find((spec, index) => !isDeepStrictEqual(spec, architecture.layers[index]));
	if (layer) return `another net than config.json tells of: ${layer.name} differs`;
	if (!isDeepStrictEqual(expected, architecture)) return 'another net than config.json tells of';
	if (!isDeepStrictEqual(frozen, options.freeze ?? [])) return 'a run that has frozen other layers';
	if (seed !== options.seed) return `a run with seed ${seed}, not ${String(options.seed)}`;
	return progress ? undefined : 'a net that no training run has saved';
}
