// One run of an arm, in a folder of its own: begun, or gone on with from its last checkpoint.
import {join} from 'node:path';
import {packageVersion} from '../base/package.ts';
import {AlexNet} from '../classifier.ts';
import type {Statistics} from '../data/views.ts';
import {deviceInUse} from '../device/device.ts';
import type {RunOptions} from '../net/options.ts';
import {runFiles, type RunConfig} from '../run/run-files.ts';
import {RunFolder} from '../run/run-folder.ts';
import {trainRun, type TrainRunOptions} from '../run/train-run.ts';
import type {EpochReport} from '../training/trainer.ts';
import type {Arm, Experiment, ExperimentSize} from './experiment.ts';
import {netOf} from './nets.ts';
import type {ExperimentPictures} from './pictures.ts';

export interface ArmRun {
	/** Its folder. */
	readonly path: string;
	readonly experiment: Pick<Experiment, 'name'>;
	readonly arm: Arm;
	readonly seed: number;
	readonly rate: number;
	readonly size: ExperimentSize;
	readonly pictures: ExperimentPictures;
	readonly statistics: Statistics;
	readonly run: Pick<RunOptions, 'devices' | 'precision' | 'threads'>;
}

/**
 * Trains to the end, then has `measure` look at the net.
 *
 * @throws what `trainRun` throws; the run can then be gone on with.
 */
export async function trainArm<T>(
	armRun: ArmRun,
	watch: Pick<TrainRunOptions, 'signal' | 'onProgress' | 'onReport'>,
	measure: (model: AlexNet, epochs: readonly EpochReport[]) => Promise<T>,
): Promise<T> {
	const {path, arm, size, pictures} = armRun;
	const found = await RunFolder.read(path).catch(() => undefined);
	await using model = found?.hasCheckpoint
		? await AlexNet.load(join(path, runFiles.last), {...armRun.run, batchSize: size.batchSize})
		: await newModel(armRun);
	const run = found
		? await RunFolder.resume(path, found.config, model)
		: await RunFolder.create(path, configOf(armRun, model));
	const {epochs, divideAt} = size;
	const {train: source, validation} = pictures;
	const reports = await trainRun({run, model, source, validation, epochs, divideAt, ...arm.train, ...watch});
	// Awaited here, as the net goes when this returns.
	return await measure(model, reports);
}

async function newModel({arm, seed, rate, size, pictures, statistics, run}: ArmRun): Promise<AlexNet> {
	const {net, imageSize, batchSize, weightDecay} = size;
	const {labels} = pictures.train;
	const architecture = netOf(net, imageSize, labels.length, arm.net);
	const model = await AlexNet.create({...run, architecture, labels, batchSize, weightDecay, learningRate: rate, seed});
	const {mean, pca} = statistics;
	// Colours that do not vary are not changed.
	model.statistics = arm.colour === false ? {mean, pca: {...pca, values: new Float32Array(3)}} : statistics;
	return model;
}

function configOf({experiment, arm, seed, rate, size, pictures}: ArmRun, model: AlexNet): RunConfig {
	return {
		startedAt: new Date().toISOString(),
		experiment: experiment.name,
		arm: arm.title,
		settings: {...size, ...arm.train, ...arm.net, colour: arm.colour ?? true, learningRate: rate, seed},
		devices: model.devices.map((id) => deviceInUse(id, model.threads)),
		versions: {'alexnet-cuda': packageVersion, node: process.versions.node},
		pictures: {train: pictures.train.size, validation: pictures.validation.size},
	};
}
