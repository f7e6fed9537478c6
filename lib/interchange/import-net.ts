// Nets of other programs' files, as ours.
import {architectureCheck, classesOf, type Architecture} from '../net/architecture.ts';
import {checked, distinctNames, fields, filePath, integer, listOf} from '../base/check.ts';
import {finite, option, options, where, type Check, type Checked} from '../base/check.ts';
import {outlinesOf} from '../checkpoint/checkpoint.ts';
import {AlexNetError} from '../base/errors.ts';
import {reasonOf} from '../base/files.ts';
import {allFinite} from '../base/finite.ts';
import {parseShallow} from '../base/json.ts';
import type {Statistics} from '../data/views.ts';
import {conventions, fold, meanImage, pictureConvention, sideOf, type PictureConvention} from './conventions.ts';
import {readMeanFile, readNetFile, readWhole} from './formats.ts';
import type {ReadNet} from './read-net.ts';

/** What `AlexNet.import` takes besides the path and where the net is to run. */
export interface ImportOptions {
	/**
	 * Whose pictures the net expects: blue first less ImageNet's mean (`caffe`, `caffenet`), or torchvision's (`owt`).
	 * Default: as the file's format says.
	 */
	preset?: PictureConvention | undefined;
	/** A name for each output. Default: those in the file, or 'class 0' and so on. */
	labels?: readonly string[] | undefined;
	/** A mean image in a file, such as mean.binaryproto. Default: the file's, or the preset's mean colour. */
	mean?: string | undefined;
	/** Side of the pictures that the net sees. Default: as the file says. */
	crop?: number | undefined;
}

/** A mean image larger than any is no reason to take memory. */
const largestPicture = 1024;

export const importOptions = options<ImportOptions>()({
	preset: pictureConvention,
	labels: option(distinctNames(1), 'a name for each output'),
	mean: option(filePath, 'a mean image in a file, such as mean.binaryproto'),
	crop: option(integer(1, largestPicture), 'side of the pictures that the net sees'),
});

/** A net that was read from a file, and nothing that needs a device. */
export interface ImportedNet {
	readonly architecture: Architecture;
	readonly labels: readonly string[];
	/** PyTorch's order, by our names. */
	readonly weights: ReadonlyMap<string, Float32Array>;
	readonly statistics: Statistics;
}

/**
 * Reads a net of any known format, told by what is in the file.
 *
 * @throws ALEXNET_IMPORT for a file that is missing, damaged, of another kind or of a net that this package cannot have.
 * Memory is taken for what the file has, never for what it says.
 */
export async function importNet(path: string, given: Checked<typeof importOptions>): Promise<ImportedNet> {
	const mean = given.mean === undefined ? undefined : await during(given.mean, () => readMeanFile(given.mean ?? ''));
	return during(path, async () => assembled(await readNetFile(path, given.crop), {...given, mean}));
}

/** Long names in several languages for all that anybody tells apart. */
const longestLabels = 2 ** 24;

/**
 * Names of classes from a file, one a line. ILSVRC has two cranes and two maillots: a name that was there before gets its
 * number.
 *
 * @throws ALEXNET_IMPORT where it cannot be read.
 */
export async function readLabels(path: string): Promise<string[]> {
	return during(path, async () => {
		const text = (await readWhole(path, longestLabels)).toString();
		const lines = text.split(/\r?\n/).map((line) => line.trim());
		const names = lines.slice(0, lines.findLastIndex((line) => line !== '') + 1);
		const seen = new Set<string>();
		return names.map((name, index) => (seen.size === seen.add(name).size ? `${name} (${index})` : name));
	});
}

async function during<T>(path: string, work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} catch (error) {
		throw new AlexNetError('ALEXNET_IMPORT', `Could not import ${path}: ${reasonOf(error)}.`, {cause: error});
	}
}

type Choices = Omit<ImportOptions, 'mean'> & {readonly mean: Float32Array | undefined};

function assembled(net: ReadNet, given: Choices): ImportedNet {
	const own = net.mean?.values();
	if (given.preset && !net.preset && (own || net.divisor))
		throw new Error('it centres pictures itself: leave preset out');
	const preset = given.preset ?? net.preset;
	const {order, ...convention} = preset ? conventions[preset] : {order: 'rgb' as const, mean: [0], divisor: [1]};
	const mean = given.mean ?? own ?? Float32Array.from(convention.mean);
	if (!allFinite(mean)) throw new Error('the mean image has values that are no finite numbers');
	const architecture = importedArchitecture(net, sideOf(mean));
	const divisor = net.divisor ? [...net.divisor.values()] : convention.divisor;
	const weights = weightsOf(architecture, net, {order, divisor});
	return {
		architecture,
		labels: labelsOf(net, given.labels, architecture),
		weights,
		statistics: {mean: meanImage(mean, order, architecture.imageSize), pca: pcaOf(net)},
	};
}

/** @param side of the mean image, which is of whole pictures where it is larger than the crop */
function importedArchitecture({imageSize: told, crop, columns, layers}: ReadNet, side: number): Architecture {
	// Nets that see as much as the paper's see the centres of pictures of the usual size, small ones the whole.
	const usual = crop > 128 ? Math.max(crop, 256) : crop;
	const imageSize = told ?? (side > crop ? side : usual);
	if (imageSize > largestPicture) {
		throw new Error(`its pictures are ${imageSize} pixels wide, and the most are ${largestPicture}`);
	}
	if (side > 1 && side < crop) throw new Error(`the mean image is ${side} pixels wide, and the net sees ${crop}`);
	return checked('the net', architectureCheck, {imageSize, crop, columns, layers});
}

function weightsOf(
	architecture: Architecture,
	{tensors}: ReadNet,
	expected: Parameters<typeof fold>[1],
): Map<string, Float32Array> {
	const parameters = outlinesOf({architecture});
	for (const {name, shape} of parameters) {
		const found = tensors.get(name)?.shape.join(', ') ?? '';
		if (found !== shape.join(', ')) throw new Error(`${name} is [${found}], where the net needs [${shape.join(', ')}]`);
	}
	const first = `${architecture.layers[0]?.name ?? ''}.weight`;
	const weights = new Map<string, Float32Array>();
	for (const {name} of parameters) {
		const tensor = tensors.get(name);
		if (!tensor) continue;
		const values = name === first ? fold(tensor, expected) : tensor.values();
		if (!allFinite(values)) throw new Error(`${name} has values that are no finite numbers`);
		weights.set(name, values);
	}
	return weights;
}

function labelsOf(net: ReadNet, given: readonly string[] | undefined, architecture: Architecture): readonly string[] {
	const outputs = classesOf(architecture);
	const told = net.labels === undefined ? undefined : checked('its labels', distinctNames(1), parseShallow(net.labels));
	const labels = given ?? told ?? Array.from({length: outputs}, (_, index) => `class ${index}`);
	if (labels.length === outputs) return labels;
	throw new Error(`there are ${labels.length} labels for its ${outputs} outputs`);
}

const numbers = (length: number): Check<readonly number[]> =>
	where(listOf(finite, length), (list) => list.length === length, `${length} numbers`);
const pcaCheck = fields<{values: readonly number[]; vectors: readonly number[]}>({
	values: numbers(3),
	vectors: numbers(9),
});

/** Colours that do not vary, where the file does not say how: training adds none. */
function pcaOf({pca}: ReadNet): Statistics['pca'] {
	const told = pca === undefined ? undefined : checked('pca', pcaCheck, parseShallow(pca));
	const {values = [0, 0, 0], vectors = [1, 0, 0, 0, 1, 0, 0, 0, 1]} = told ?? {};
	return {values: Float32Array.from(values), vectors: Float32Array.from(vectors)};
}
