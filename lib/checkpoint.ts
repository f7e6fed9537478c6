// Checkpoints: one safetensors file that classifies on its own and that training can go on from.
import {setImmediate} from 'node:timers/promises';
import type {Architecture} from './architecture.ts';
import {AlexNetError} from './errors.ts';
import {reasonOf} from './files.ts';
import type {Model} from './model.ts';
import type {ModelOptions, RunOptions} from './options.ts';
import type {Parameter, ParameterContents} from './parameter.ts';
import type {Progress} from './progress.ts';
import {SafetensorsFile, writeSafetensors, type OutgoingTensor} from './safetensors.ts';
import type {SgdSettings} from './sgd.ts';
import type {PcaScale} from './views.ts';

const format = 'alexnet-cuda';
/** Raised when what older versions of this package would read wrongly changes. */
const formatVersion = 1;

const required = ['architecture', 'labels', 'step', 'seed', 'batchSize', 'pcaScale', 'sgd'] as const;

/** Checking values pauses for the event loop after this many: about a millisecond. */
const valuesAtOnce = 2 ** 20;

/** What a checkpoint says about itself besides its tensors. */
export interface CheckpointHeader {
	architecture: Architecture;
	labels: string[];
	/** Updates made. */
	step: number;
	seed: number;
	batchSize: number;
	pcaScale: PcaScale;
	sgd: SgdSettings;
	hasStatistics: boolean;
	/** Where training stopped; not there before the first step of a run. */
	progress?: Progress;
	/** Device and precision it was trained on; another may load it. */
	devices: readonly string[];
	precision: Model['precision'];
}

/**
 * Writes fp32 weights and biases under PyTorch's names, `momentum.<name>`, `mean`, `pca.values` and `pca.vectors`.
 * No step may be under way.
 *
 * @throws ALEXNET_CHECKPOINT where the file cannot be written, ALEXNET_LOSS where a value is no finite number; what
 * stood there before is untouched.
 */
export async function saveCheckpoint(model: Model, path: string): Promise<void> {
	const {architecture, step, seed, batchSize, pcaScale, sgd, hasStatistics, progress, devices, precision} = model;
	const header: CheckpointHeader = {
		architecture,
		labels: [...model.labels],
		step,
		seed,
		batchSize,
		pcaScale,
		sgd,
		hasStatistics,
		...(progress && {progress}),
		devices,
		precision,
	};
	// One array serves all tensors in turn: 151 MB for fc6 would otherwise be taken anew each time.
	const scratch = new Float32Array(Math.max(...model.parameters.map(({elements}) => elements)));
	const outgoing = (parameter: Parameter, name: string, contents: ParameterContents): OutgoingTensor => ({
		name,
		shape: parameter.shape,
		read: async () => {
			const values = await parameter.read(contents, scratch.subarray(0, parameter.elements));
			await requireFinite(name, values, path);
			return values;
		},
	});
	const {mean, pca} = model.statistics;
	const {imageSize} = architecture;
	const still = (name: string, shape: number[], values: Float32Array): OutgoingTensor => ({
		name,
		shape,
		read: () => Promise.resolve(values),
	});
	await writeSafetensors(
		path,
		[
			...model.parameters.map((parameter) => outgoing(parameter, parameter.name, 'weights')),
			...model.parameters.map((parameter) => outgoing(parameter, `momentum.${parameter.name}`, 'velocity')),
			still('mean', [imageSize, imageSize, 3], mean),
			still('pca.values', [3], pca.values),
			still('pca.vectors', [3, 3], pca.vectors),
		],
		{format, formatVersion: String(formatVersion), ...encode(header)},
	);
}

/** A net that has come to nothing must not take the place of one that works. */
async function requireFinite(name: string, values: Float32Array, path: string): Promise<void> {
	for (let start = 0; start < values.length; start += valuesAtOnce) {
		let sum = 0;
		const end = Math.min(values.length, start + valuesAtOnce);
		for (let index = start; index < end; ++index) sum += (values[index] ?? 0) * 0;
		if (sum !== 0) {
			throw new AlexNetError(
				'ALEXNET_LOSS',
				`${name} has values that are no finite numbers, so it is not saved; ${path} is as it was. ` +
					'Go on from there, or from the start, with a lower learningRate.',
			);
		}
		await setImmediate();
	}
}

function encode(header: CheckpointHeader): Record<string, string> {
	return Object.fromEntries(Object.entries(header).map(([key, value]) => [key, JSON.stringify(value)]));
}

function decode(path: string, metadata: Readonly<Record<string, string>>): CheckpointHeader {
	const {format: found, formatVersion: version = '', ...fields} = metadata;
	if (found !== format) {
		throw new AlexNetError('ALEXNET_CHECKPOINT', `${path} is a safetensors file, but no checkpoint of this package.`);
	}
	if (Number(version) > formatVersion) {
		const message = `${path} has format ${version}; this version reads up to ${formatVersion}. Update alexnet-cuda.`;
		throw new AlexNetError('ALEXNET_CHECKPOINT', message);
	}
	const missing = required.find((key) => fields[key] === undefined);
	if (missing !== undefined) {
		throw new AlexNetError('ALEXNET_CHECKPOINT', `${path} is damaged: it does not say its ${missing}.`);
	}
	try {
		const entries = Object.entries(fields).map(([key, value]) => [key, JSON.parse(value) as unknown]);
		return Object.fromEntries(entries) as CheckpointHeader;
	} catch (error) {
		throw new AlexNetError('ALEXNET_CHECKPOINT', `${path} is damaged: ${reasonOf(error)}.`, {cause: error});
	}
}

/** How a checkpoint becomes a model: `make` constructs it from what the file says and what the caller chose. */
export type ModelFactory<M extends Model> = (options: ModelOptions) => M;

/**
 * Rebuilds the model that a checkpoint holds, on any device and in any precision.
 *
 * @throws ALEXNET_CHECKPOINT where the file is missing, cut short, of another program or of a newer format.
 */
export async function loadCheckpoint<M extends Model>(
	path: string,
	options: RunOptions,
	make: ModelFactory<M>,
): Promise<M> {
	const file = await SafetensorsFile.open(path);
	try {
		const header = decode(path, file.metadata);
		const {architecture, labels, step, seed, batchSize, pcaScale, sgd} = header;
		// Files of the first version do not say; a net that had made a step had them.
		const {hasStatistics = step > 0} = header as Partial<CheckpointHeader>;
		const model = make({
			...sgd,
			...{architecture, labels, seed, pcaScale},
			...{devices: options.devices, precision: options.precision, batchSize: options.batchSize ?? batchSize},
		});
		try {
			await fill(model, file, hasStatistics);
		} catch (error) {
			await model.dispose();
			throw error;
		}
		model.step = step;
		model.progress = header.progress;
		return model;
	} finally {
		await file.close();
	}
}

async function fill(model: Model, file: SafetensorsFile, hasStatistics: boolean): Promise<void> {
	const {imageSize} = model.architecture;
	for (const parameter of model.parameters) {
		parameter.reset();
		parameter.write('weights', await file.read(parameter.name, parameter.shape));
		parameter.write('velocity', await file.read(`momentum.${parameter.name}`, parameter.shape));
		await model.synchronize();
	}
	if (!hasStatistics) return;
	model.statistics = {
		mean: await file.read('mean', [imageSize, imageSize, 3]),
		pca: {values: await file.read('pca.values', [3]), vectors: await file.read('pca.vectors', [3, 3])},
	};
	await model.synchronize();
}
