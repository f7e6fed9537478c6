// Checkpoints: one safetensors file that classifies on its own and that training can go on from.
import type {Architecture} from './architecture.ts';
import {AlexNetError} from './errors.ts';
import type {Model} from './model.ts';
import type {ModelOptions, RunOptions} from './options.ts';
import type {Parameter, ParameterContents} from './parameter.ts';
import {SafetensorsFile, writeSafetensors, type OutgoingTensor} from './safetensors.ts';
import type {SgdSettings} from './sgd.ts';
import type {PcaScale} from './views.ts';

const format = 'alexnet-cuda';
/** Raised when what older versions of this package would read wrongly changes. */
const formatVersion = 1;

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
	/** Device and precision it was trained on; another may load it. */
	devices: readonly string[];
	precision: Model['precision'];
}

/**
 * Writes fp32 weights and biases under PyTorch's names, `momentum.<name>`, `mean`, `pca.values` and `pca.vectors`.
 * No step may be under way.
 *
 * @throws ALEXNET_CHECKPOINT where the file cannot be written; what stood there before is untouched.
 */
export async function saveCheckpoint(model: Model, path: string): Promise<void> {
	const {architecture, step, seed, batchSize, pcaScale, sgd, devices, precision} = model;
	const header: CheckpointHeader = {
		architecture,
		labels: [...model.labels],
		step,
		seed,
		batchSize,
		pcaScale,
		sgd,
		devices,
		precision,
	};
	// One array serves all tensors in turn: 151 MB for fc6 would otherwise be taken anew each time.
	const scratch = new Float32Array(Math.max(...model.parameters.map(({elements}) => elements)));
	const outgoing = (parameter: Parameter, name: string, contents: ParameterContents): OutgoingTensor => ({
		name,
		shape: parameter.shape,
		read: () => parameter.read(contents, scratch.subarray(0, parameter.elements)),
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
	const entries = Object.entries(fields).map(([key, value]) => [key, JSON.parse(value) as unknown]);
	return Object.fromEntries(entries) as CheckpointHeader;
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
		const {architecture, labels, step, seed, batchSize, pcaScale, sgd} = decode(path, file.metadata);
		const model = make({
			...sgd,
			...{architecture, labels, seed, pcaScale},
			...{devices: options.devices, precision: options.precision, batchSize: options.batchSize ?? batchSize},
		});
		try {
			await fill(model, file);
		} catch (error) {
			await model.dispose();
			throw error;
		}
		model.step = step;
		return model;
	} finally {
		await file.close();
	}
}

async function fill(model: Model, file: SafetensorsFile): Promise<void> {
	const {imageSize} = model.architecture;
	for (const parameter of model.parameters) {
		parameter.reset();
		parameter.write('weights', await file.read(parameter.name, parameter.shape));
		parameter.write('velocity', await file.read(`momentum.${parameter.name}`, parameter.shape));
		await model.synchronize();
	}
	model.statistics = {
		mean: await file.read('mean', [imageSize, imageSize, 3]),
		pca: {values: await file.read('pca.values', [3]), vectors: await file.read('pca.vectors', [3, 3])},
	};
	await model.synchronize();
}
