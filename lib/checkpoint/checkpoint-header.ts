// What a checkpoint says about itself besides its tensors: the metadata of its safetensors file, JSON under each name.
import {architectureCheck, classesOf, type Architecture} from '../net/architecture.ts';
import {
	checked,
	distinctNames,
	fields,
	flag,
	integer,
	listOf,
	optional,
	text,
	where,
	type Check,
} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import {reasonOf} from '../base/files.ts';
import {JsonReader} from '../base/json.ts';
import {requireFreezable} from '../net/layer-names.ts';
import {runOptions, type Precision} from '../net/options.ts';
import {progressCheck, type Progress} from '../net/progress.ts';
import {sgdOptions, type SgdSettings} from '../net/sgd.ts';
import {pcaScale, type PcaScale} from '../data/views.ts';

const format = 'alexnet-cuda';
/** Raised when what older versions of this package would read wrongly changes. */
const formatVersion = 1;

const required = ['architecture', 'labels', 'step', 'seed', 'batchSize', 'pcaScale', 'sgd'] as const;

const {lastLayerLearningRateScale} = sgdOptions.checks;

/** Files of older versions have no rate of its own for the last layer. */
type SavedSgd = Omit<SgdSettings, 'lastLayerLearningRateScale'> & {readonly lastLayerLearningRateScale?: number};

export interface CheckpointHeader {
	architecture: Architecture;
	labels: readonly string[];
	/** Updates made. */
	step: number;
	seed: number;
	batchSize: number;
	pcaScale: PcaScale;
	sgd: SavedSgd;
	/** Files of the first version do not say. */
	hasStatistics?: boolean;
	/** Whether `momentum.<name>` are there; files of older versions do not say, and have them. */
	hasMomentum?: boolean;
	/** Layers that keep their weights, by name, if there are any. */
	frozen?: readonly string[];
	/** Where training stopped; not there before the first step of a run. */
	progress?: Progress;
	/** Device and precision it was trained on; another may load it. */
	devices?: readonly string[];
	precision?: Precision;
}

const headerCheck: Check<CheckpointHeader> = where(
	fields<CheckpointHeader>({
		architecture: architectureCheck,
		labels: distinctNames(1),
		step: integer(0),
		seed: integer(0),
		batchSize: integer(1),
		pcaScale,
		sgd: fields<SavedSgd>({...sgdOptions.checks, lastLayerLearningRateScale: optional(lastLayerLearningRateScale)}),
		hasStatistics: optional(flag),
		hasMomentum: optional(flag),
		frozen: optional(distinctNames(0)),
		progress: optional(progressCheck),
		devices: optional(listOf(text)),
		precision: optional(runOptions.checks.precision),
	}),
	({architecture, labels}) => classesOf(architecture) === labels.length,
	'of a net with an output for each label',
);

/** @throws ALEXNET_CHECKPOINT where it has more than {@link decodeHeader} would read again. */
export function encodeHeader(path: string, header: CheckpointHeader): Record<string, string> {
	const known = Object.entries(header).filter(([, value]) => value !== undefined);
	const encoded = Object.fromEntries(known.map(([key, value]) => [key, JSON.stringify(value)]));
	const reader = new JsonReader();
	try {
		for (const text of Object.values(encoded)) reader.requireBounded(text);
	} catch (error) {
		const message = `${path} is not written, as it could not be read again: ${reasonOf(error)}.`;
		throw new AlexNetError('ALEXNET_CHECKPOINT', message, {cause: error});
	}
	return {format, formatVersion: String(formatVersion), ...encoded};
}

/** @throws ALEXNET_CHECKPOINT for another program's file, a newer format, and where a field is not as it must be. */
export function decodeHeader(path: string, metadata: Readonly<Record<string, string>>): CheckpointHeader {
	const {format: found, formatVersion: version = '', ...encoded} = metadata;
	if (found !== format) {
		throw new AlexNetError('ALEXNET_CHECKPOINT', `${path} is a safetensors file, but no checkpoint of this package.`);
	}
	if (Number(version) > formatVersion) {
		const message = `${path} has format ${Number(version)}; this version reads up to ${formatVersion}. Update alexnet-cuda.`;
		throw new AlexNetError('ALEXNET_CHECKPOINT', message);
	}
	const missing = required.find((key) => encoded[key] === undefined);
	if (missing !== undefined) {
		throw new AlexNetError('ALEXNET_CHECKPOINT', `${path} is damaged: it does not say its ${missing}.`);
	}
	try {
		checked('formatVersion', integer(1), Number(version));
		const reader = new JsonReader();
		const header: unknown = Object.fromEntries(
			Object.entries(encoded).map(([key, value]) => [key, reader.parse(value)]),
		);
		const {architecture, frozen = []} = checked('the header', headerCheck, header);
		requireFreezable(architecture.layers, frozen);
		// As it was read: a resumed run writes the same bytes, and what a newer version has added stays.
		return header as CheckpointHeader;
	} catch (error) {
		throw new AlexNetError('ALEXNET_CHECKPOINT', `${path} is damaged: ${reasonOf(error)}.`, {cause: error});
	}
}
