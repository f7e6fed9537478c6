// Checkpoints: one safetensors file that classifies on its own and that training can go on from.
import {setImmediate} from 'node:timers/promises';
import type {Architecture} from '../net/architecture.ts';
import {filled, flag, options} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import {encodeHeader, decodeHeader, type CheckpointHeader} from './checkpoint-header.ts';
import {placeColumns} from '../net/columns.ts';
import {openDevice} from '../device/device.ts';
import {reasonOf} from '../base/files.ts';
import {allFinite} from '../base/finite.ts';
import {Memory} from '../device/memory.ts';
import type {Model} from '../net/model.ts';
import type {ModelOptions, RunOptions} from '../net/options.ts';
import type {Parameter, ParameterContents} from '../net/parameter.ts';
import {SafetensorsFile, writeSafetensors, type OutgoingTensor} from './safetensors.ts';
import {sgdOptions} from '../net/sgd.ts';

/** Checking values pauses for the event loop after this many: about a millisecond. */
const valuesAtOnce = 2 ** 20;

/** What `AlexNet.save` takes besides the path. */
export interface SaveOptions {
	/**
	 * Whether the file holds momentum, too, half of its bytes. Without, it classifies the same, and training goes on from
	 * it with zero momentum. Default: whether the model has any.
	 */
	momentum?: boolean | undefined;
}

export const saveOptions = options<SaveOptions>()({momentum: flag});

/**
 * Writes fp32 weights and biases under PyTorch's names, `momentum.<name>`, `mean`, `pca.values` and `pca.vectors`.
 * Steps wait until the file is written: it is of one whole step, and no copy of the weights is held meanwhile.
 *
 * @throws ALEXNET_CHECKPOINT where the file cannot be written, ALEXNET_LOSS where a value is no finite number; what
 * stood there before is untouched. ALEXNET_CHECKPOINT, too, where the file is written but its folder cannot be synced, as
 * the message says then. ALEXNET_DISPOSED after dispose().
 */
export async function saveCheckpoint(model: Model, path: string, {momentum}: SaveOptions = {}): Promise<void> {
	const hasMomentum = momentum ?? !model.inferenceOnly;
	if (hasMomentum) model.requireTrainable();
	await model.exclusively(() => write(model, path, hasMomentum));
}

async function write(model: Model, path: string, hasMomentum: boolean): Promise<void> {
	const {architecture, step, seed, batchSize, pcaScale, sgd, frozen, hasStatistics, progress} = model;
	const header: CheckpointHeader = {
		architecture,
		labels: [...model.labels],
		step,
		seed,
		batchSize,
		pcaScale,
		sgd,
		hasStatistics,
		hasMomentum,
		...(frozen.length > 0 && {frozen}),
		...(progress && {progress}),
		devices: model.devices,
		precision: model.precision,
	};
	const {mean, pca} = model.statistics;
	const {imageSize} = architecture;
	const still = (name: string, shape: number[], values: Float32Array): OutgoingTensor => ({
		name,
		shape,
		read: () => Promise.resolve(values),
	});
	const parameters = outgoingParameters(model, path);
	await writeSafetensors(
		path,
		[
			...parameters('weights'),
			...(hasMomentum ? parameters('velocity', 'momentum.') : []),
			still('mean', [imageSize, imageSize, 3], mean),
			still('pca.values', [3], pca.values),
			still('pca.vectors', [3, 3], pca.vectors),
		],
		encodeHeader(path, header),
	);
}

/**
 * A model's parameters, to be written while nothing changes them.
 *
 * @returns what gives those tensors of them, under their names with `prefix` before; each refuses with ALEXNET_LOSS what
 * is no finite number
 */
export function outgoingParameters(
	{parameters}: Model,
	path: string,
): (contents: ParameterContents, prefix?: string) => OutgoingTensor[] {
	// One array serves all tensors in turn: 151 MB for fc6 would otherwise be taken anew each time.
	const scratch = new Float32Array(Math.max(...parameters.map(({elements}) => elements)));
	// What does not learn has no momentum.
	const having = (contents: ParameterContents): readonly Parameter[] =>
		contents === 'velocity' ? parameters.filter(({learns}) => learns) : parameters;
	return (contents, prefix = '') =>
		having(contents).map((parameter) => ({
			name: `${prefix}${parameter.name}`,
			shape: parameter.shape,
			read: async () => {
				const values = await parameter.read(contents, scratch.subarray(0, parameter.elements));
				await requireFinite(`${prefix}${parameter.name}`, values, path);
				return values;
			},
		}));
}

/** A net that has come to nothing must not take the place of one that works. */
async function requireFinite(name: string, values: Float32Array, path: string): Promise<void> {
	for (let start = 0; start < values.length; start += valuesAtOnce) {
		if (!allFinite(values.subarray(start, start + valuesAtOnce))) {
			throw new AlexNetError(
				'ALEXNET_LOSS',
				`${name} has values that are no finite numbers, so it is not saved; ${path} is as it was. ` +
					'Go on from there, or from the start, with a lower learningRate.',
			);
		}
		await setImmediate();
	}
}

/** How a checkpoint becomes a model: `make` constructs it from what the file says and what the caller chose. */
export type ModelFactory<M extends Model> = (options: ModelOptions) => M;

/**
 * Rebuilds the model that a checkpoint holds, on any device and in any precision.
 *
 * @throws ALEXNET_CHECKPOINT where the file is missing, cut short, damaged, of another program or of a newer format, or
 * has weights that are no finite numbers. Nothing is allocated before its header and the shapes of its tensors are right.
 */
export async function loadCheckpoint<M extends Model>(
	path: string,
	options: RunOptions,
	make: ModelFactory<M>,
): Promise<M> {
	return withCheckpoint(path, async (file, header) => {
		const {architecture, labels, step, seed, batchSize, pcaScale, sgd, frozen, progress} = header;
		// Files of the first version do not say; a net that had made a step had them.
		const {hasStatistics = step > 0, hasMomentum = true} = header;
		const model = make({
			...filled(sgdOptions, sgd),
			...{architecture, labels, seed, pcaScale, freeze: frozen},
			...options,
			batchSize: options.batchSize ?? batchSize,
		});
		await disposedOnError(model, () => fill(model, file, {parameters: model.parameters, hasStatistics, hasMomentum}));
		model.step = step;
		model.progress = progress;
		return model;
	});
}

/**
 * A model for other labels that begins with a checkpoint's weights, but for its last layer, which starts anew.
 *
 * @throws ALEXNET_ARGUMENT where the last layer is to be frozen, and what {@link loadCheckpoint} throws.
 */
export async function startFromCheckpoint<M extends Model>(
	path: string,
	options: Omit<ModelOptions, 'architecture'>,
	make: ModelFactory<M>,
): Promise<M> {
	return withCheckpoint(path, async (file, {architecture, step, hasStatistics = step > 0}) => {
		const {layers} = architecture;
		const last = layers.at(-1);
		if (last?.type !== 'linear') throw new Error('decodeHeader lets no other net pass.');
		if (options.freeze?.includes(last.name) === true) {
			const message = `${last.name} is replaced for the new classes and must learn. Leave it out of freeze.`;
			throw new AlexNetError('ALEXNET_ARGUMENT', message);
		}
		const fresh = {...last, outputs: options.labels.length};
		const model = make({...options, architecture: {...architecture, layers: [...layers.slice(0, -1), fresh]}});
		await disposedOnError(model, async () => {
			await model.initialize();
			const parameters = model.parameters.filter(({name}) => !name.startsWith(`${last.name}.`));
			await fill(model, file, {parameters, hasStatistics, hasMomentum: false});
		});
		return model;
	});
}

/**
 * The net that a checkpoint holds, without its weights.
 *
 * @throws ALEXNET_CHECKPOINT as {@link loadCheckpoint}.
 */
export async function checkpointArchitecture(path: string): Promise<Architecture> {
	return withCheckpoint(path, (_, {architecture}) => Promise.resolve(architecture));
}

async function withCheckpoint<M>(
	path: string,
	use: (file: SafetensorsFile, header: CheckpointHeader) => Promise<M>,
): Promise<M> {
	const file = await SafetensorsFile.open(path);
	try {
		const header = decodeHeader(path, file.metadata);
		requireTensors(path, file, header);
		return await use(file, header);
	} finally {
		await file.close();
	}
}

/** @throws ALEXNET_CHECKPOINT where the file lacks a tensor of this net, or has it in another shape. Takes no memory. */
function requireTensors(path: string, file: SafetensorsFile, header: CheckpointHeader): void {
	for (const {name, shape, learns} of parametersOf(path, header)) {
		file.require(name, shape);
		if (header.hasMomentum !== false && learns) file.require(`momentum.${name}`, shape);
	}
	for (const [name, shape] of statisticsOf(header.architecture)) file.require(name, shape);
}

function parametersOf(path: string, header: CheckpointHeader): readonly Parameter[] {
	try {
		return outlinesOf(header);
	} catch (error) {
		const message = `${path} is damaged: its architecture makes no net: ${reasonOf(error)}.`;
		throw new AlexNetError('ALEXNET_CHECKPOINT', message, {cause: error});
	}
}

/** A net's parameters as its layers tell them, without memory: their names and shapes, and which learn. */
export function outlinesOf({
	architecture,
	frozen = [],
}: Pick<CheckpointHeader, 'architecture' | 'frozen'>): readonly Parameter[] {
	const device = openDevice('cpu', {threads: 1});
	const outlines = new Memory(device, {outline: true});
	try {
		const layers = placeColumns(architecture, [outlines], {precision: 'float32'}, 0, (name) => !frozen.includes(name));
		return layers.flatMap(({parameters}) => parameters.map(({parameter}) => parameter));
	} finally {
		outlines.dispose();
		device.close();
	}
}

function statisticsOf({imageSize}: Architecture): readonly (readonly [name: string, shape: readonly number[]])[] {
	return [
		['mean', [imageSize, imageSize, 3]],
		['pca.values', [3]],
		['pca.vectors', [3, 3]],
	];
}

async function disposedOnError(model: Model, work: () => Promise<void>): Promise<void> {
	try {
		await work();
	} catch (error) {
		await model.dispose();
		throw error;
	}
}

/** Momentum that is not read is zero. */
async function fill(
	model: Model,
	file: SafetensorsFile,
	{parameters, ...has}: {parameters: readonly Parameter[]; hasStatistics: boolean; hasMomentum: boolean},
): Promise<void> {
	const {imageSize} = model.architecture;
	// Two arrays take turns: one is read into while the other is copied to the device.
	const longest = Math.max(...parameters.map(({elements}) => elements));
	let [next, copied] = [new Float32Array(longest), new Float32Array(longest)];
	const copy = async (parameter: Parameter, contents: ParameterContents, name: string): Promise<void> => {
		const values = await file.read(name, parameter.shape, next);
		await model.synchronize();
		parameter.write(contents, values);
		[next, copied] = [copied, next];
	};
	for (const parameter of parameters) {
		parameter.reset();
		await copy(parameter, 'weights', parameter.name);
		if (has.hasMomentum && parameter.learns) await copy(parameter, 'velocity', `momentum.${parameter.name}`);
	}
	await model.synchronize();
	if (!has.hasStatistics) return;
	model.statistics = {
		mean: await file.read('mean', [imageSize, imageSize, 3]),
		pca: {values: await file.read('pca.values', [3]), vectors: await file.read('pca.vectors', [3, 3])},
	};
	await model.synchronize();
}
