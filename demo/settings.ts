// What the demos have in common.
import {listDevices} from '../lib/index.ts';

/** All of the pictures decoded: each is decoded once. */
export const cacheBytes = 2 ** 30;

/**
 * What learns these few thousand pictures within minutes: the start of the released code, small batches and a fifth of
 * the paper's learning rate. With the paper's start and rate the net stays at chance here for longer than a demo lasts.
 */
export const recipe = {init: 'source2012', batchSize: 32, learningRate: 0.002, seed: 0} as const;

/** bf16 is twice as fast where the processor multiplies it, and slower where it does not. */
export function fasterPrecision(): 'fp32' | 'bf16' {
	return listDevices().some(({id, nativeBfloat16}) => id === 'cpu:0' && nativeBfloat16) ? 'bf16' : 'fp32';
}

export function percent(share: number): string {
	return `${(100 * share).toFixed(1)} %`;
}
