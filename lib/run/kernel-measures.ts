// Numbers for what figure 3 shows: which kernels look for colour and which for edges, and in which column.   paper 6.1
import {setImmediate} from 'node:timers/promises';
import {checked} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import {aModel, type Model} from '../net/model.ts';
import {columnOf, readKernels, weightsOf, type Kernels} from './kernels.ts';
import {spectralPeak} from './spectrum.ts';

/** What one of conv1's kernels looks for. */
export interface KernelMeasures {
	/** Its place among conv1's kernels, from 0. */
	kernel: number;
	/** The column of the net that has it, from 0. */
	column: number;
	/**
	 * Share of its energy (the sum of its squared weights) off the grey axis, from 0 to 1: 0 where red, green and blue are
	 * the same everywhere, 1 where they add up to 0 everywhere, 2/3 on average of noise. Undefined for a kernel of zeros.
	 */
	colourEnergy?: number;
	/**
	 * Cycles per pixel at the peak of its spectrum, along the line in the colour space along which it varies most: from 0
	 * to about 0.7, as in a chessboard. 0 for a kernel that is the same everywhere, undefined for one of zeros.
	 */
	frequency?: number;
	/**
	 * Direction of its stripes at that peak, in degrees from 0 up to 180, counter-clockwise as one sees the kernel: 0 of
	 * horizontal ones, 90 of vertical ones. Undefined where the frequency is 0.
	 */
	orientation?: number;
}

/** Means over the kernels of a column that are not zero. */
export interface ColumnMeasures {
	/** Which column of the net, from 0. */
	column: number;
	/** How many kernels it has, those of zeros included. */
	kernels: number;
	/** Mean of their {@link KernelMeasures.colourEnergy}; undefined where all are zero. */
	colourEnergy?: number;
	/** Mean of their {@link KernelMeasures.frequency}, in cycles per pixel; undefined where all are zero. */
	frequency?: number;
}

/** What conv1's kernels look for: each, and column by column. */
export interface FilterMeasures {
	/** In the order of the columns. */
	columns: ColumnMeasures[];
	/** In the order of the kernels. */
	kernels: KernelMeasures[];
}

/**
 * Colour energy, orientation and spatial frequency of conv1's kernels, and their means in each column. In the paper one
 * column came to see colour and the other edges.
 *
 * @throws ALEXNET_ARGUMENT where the net has no conv1, or it does not see the three colours.
 */
export async function measureFilters(model: Model): Promise<FilterMeasures> {
	return measureKernels(await readKernels(checked('model', aModel, model)));
}

export async function measureKernels(kernels: Kernels): Promise<FilterMeasures> {
	if (kernels.channels !== 3) {
		const message = `Kernels are measured in red, green and blue; conv1 has ${kernels.channels} channels.`;
		throw new AlexNetError('ALEXNET_ARGUMENT', message);
	}
	const measures: KernelMeasures[] = [];
	for (let kernel = 0; kernel < kernels.count; ++kernel) {
		const weights = weightsOf(kernels, kernel);
		measures.push({kernel, column: columnOf(kernels, kernel), ...measure(weights, kernels.size)});
		// Each takes a fraction of a millisecond: others have their turns between.
		await setImmediate();
	}
	return {columns: columnMeans(measures, kernels.columns), kernels: measures};
}

function columnMeans(measures: readonly KernelMeasures[], columns: number): ColumnMeasures[] {
	return Array.from({length: columns}, (_, column) => {
		const own = measures.filter((each) => each.column === column);
		const colourEnergy = mean(own.flatMap((each) => each.colourEnergy ?? []));
		const frequency = mean(own.flatMap((each) => each.frequency ?? []));
		return {column, kernels: own.length, ...(colourEnergy !== undefined && {colourEnergy, frequency: frequency ?? 0})};
	});
}

function mean(values: readonly number[]): number | undefined {
	return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : undefined;
}

/** @param weights [3, size, size] */
function measure(
	weights: Float32Array,
	size: number,
): Pick<KernelMeasures, 'colourEnergy' | 'frequency' | 'orientation'> {
	const energy = weights.reduce((sum, weight) => sum + weight ** 2, 0);
	if (energy === 0) return {};
	const pixels = size * size;
	const [red, green, blue] = [0, 1, 2].map((channel) => weights.subarray(channel * pixels, (channel + 1) * pixels)) as [
		Float32Array,
		Float32Array,
		Float32Array,
	];
	let grey = 0;
	for (let pixel = 0; pixel < pixels; ++pixel)
		grey += ((red[pixel] ?? 0) + (green[pixel] ?? 0) + (blue[pixel] ?? 0)) ** 2 / 3;
	const colourEnergy = Math.min(1, Math.max(0, 1 - grey / energy));
	const centred = [red, green, blue].map(withoutMean);
	const axis = mainAxis(centred);
	const along = new Float64Array(pixels);
	for (let pixel = 0; pixel < pixels; ++pixel) {
		for (const [channel, values] of centred.entries())
			along[pixel] = (along[pixel] ?? 0) + (axis[channel] ?? 0) * (values[pixel] ?? 0);
	}
	// What is left of a flat kernel is rounding.
	const varies = along.reduce((sum, value) => sum + value ** 2, 0) > 1e-12 * energy;
	return {colourEnergy, ...(varies ? stripes(along, size) : {frequency: 0})};
}

function stripes(values: Float64Array, size: number): {frequency: number; orientation?: number} {
	const {across, down} = spectralPeak(values, size);
	const frequency = Math.hypot(across, down);
	if (frequency === 0) return {frequency};
	// Rows count downwards, angles upwards; stripes are at right angles to the wave that makes them.
	const degrees = (Math.atan2(-down, across) * 180) / Math.PI + 90;
	return {frequency, orientation: ((degrees % 180) + 180) % 180};
}

function withoutMean(values: Float32Array): Float64Array {
	const average = values.reduce((sum, value) => sum + value, 0) / values.length;
	return Float64Array.from(values, (value) => value - average);
}

/** The direction in which points in three dimensions vary most, of length 1: the covariance's first eigenvector. */
function mainAxis(points: readonly Float64Array[]): number[] {
	const product = (one: Float64Array, two: Float64Array): number =>
		one.reduce((sum, value, index) => sum + value * (two[index] ?? 0), 0);
	let matrix = points.map((row) => points.map((column) => product(row, column)));
	// Squared again and again, it becomes a projection onto what grows fastest.
	for (let time = 0; time < 24; ++time) {
		const largest = Math.max(...matrix.flat().map(Math.abs), Number.MIN_VALUE);
		const scaled = matrix.map((row) => row.map((value) => value / largest));
		matrix = scaled.map((row) =>
			[0, 1, 2].map((at) => row.reduce((sum, value, k) => sum + value * (scaled[k]?.[at] ?? 0), 0)),
		);
	}
	const [row = []] = matrix.toSorted((a, b) => Math.hypot(...b) - Math.hypot(...a));
	const length = Math.hypot(...row);
	return length > 0 ? row.map((value) => value / length) : [1, 0, 0];
}
