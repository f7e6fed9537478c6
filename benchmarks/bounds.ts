// The least time for what has to be done: bound = max(bytes / bandwidth, operations / peak).
import type {Precision} from '../lib/net/options.ts';
import {flopsOf, type Gpu} from './gpus.ts';
import type {Machine} from './machine.ts';
import type {Cost} from './trials.ts';

export interface Bound {
	boundMs: number;
	boundBy: 'bandwidth' | 'peak';
	/** boundMs / what was measured or modelled */
	shareOfBound: number;
}

export function boundOf({bytes, operations}: Cost, {bandwidth, peak}: Machine, milliseconds: number): Bound {
	const [byBandwidth, byPeak] = [(bytes / bandwidth) * 1000, (operations / peak) * 1000];
	const boundMs = Math.max(byBandwidth, byPeak);
	return {boundMs, boundBy: byBandwidth > byPeak ? 'bandwidth' : 'peak', shareOfBound: boundMs / milliseconds};
}

/** What the data sheet promises. */
export function ratesOf(gpu: Gpu, precision: Precision): Machine {
	return {bandwidth: gpu.dataSheet.gigabytesPerSecond * 1e9, peak: flopsOf(gpu, precision)};
}
