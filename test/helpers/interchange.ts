// What nets in other programs' formats are compared with: the pictures that we are given, as those programs take them.
import {randomFillSync} from 'node:crypto';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {InferenceSession, Tensor} from 'onnxruntime-node';
import type {Architecture} from '../../lib/net/architecture.ts';
import type {LayerSpec} from '../../lib/net/layers/registry.ts';

/** A path in a folder that goes when the tests of a file have run. */
export function temporaryPaths(): (name: string) => string {
	let folder = '';
	test.before(async () => {
		folder = await mkdtemp(join(tmpdir(), 'alexnet-'));
	});
	test.after.always(async () => rm(folder, {recursive: true, force: true}));
	return (name) => join(folder, name);
}

/** What ONNX Runtime makes of a file and these pictures. */
export async function runOnnx(
	path: string,
	planes: Float32Array,
	crop: number,
	input = 'pictures',
): Promise<Float32Array> {
	const session = await InferenceSession.create(path, {logSeverityLevel: 3});
	const tensor = new Tensor('float32', planes, [planes.length / (3 * crop * crop), 3, crop, crop]);
	const {[session.outputNames[0]!]: output} = await session.run({[input]: tensor});
	return output!.data as Float32Array;
}

export function largestDifference(one: Float32Array, other: Float32Array): number {
	if (one.length !== other.length) throw new Error(`${one.length} values and ${other.length}`);
	return one.reduce((most, value, at) => Math.max(most, Math.abs(value - other[at]!)), 0);
}

/** [N, S, S, 3] */
export function randomPictures(count: number, side: number): Uint8Array {
	return randomFillSync(new Uint8Array(count * side * side * 3));
}

/** The same net, normalized so strongly that a wrong window, column or constant shows. */
export function strong(architecture: Architecture): Architecture {
	const layers = architecture.layers.map((spec) => (spec.type === 'lrn' ? {...spec, alpha: 0.05} : spec));
	return {...architecture, layers};
}

/** torchvision's alexnet with few channels. */
export function torchvisionNet(imageSize: number, crop: number): Architecture {
	const initial = {deviation: 0.05, bias: 0.1};
	const conv = (name: string, kernels: number, size: number, stride: number): LayerSpec => {
		const pad = Math.floor(size / 2) - (stride > 1 ? 3 : 0);
		const pads = [pad, pad, pad, pad] as const;
		return {type: 'conv2d', name, kernels, size, stride, pads, reads: 'both', activation: 'relu', initial};
	};
	const pool = (name: string): LayerSpec => ({type: 'maxPool', name, size: 3, stride: 2});
	const linear = (name: string, outputs: number, activation: 'relu' | 'none'): LayerSpec => {
		return {type: 'linear', name, outputs, activation, initial};
	};
	const dropout = (name: string): LayerSpec => ({type: 'dropout', name, rate: 0.5});
	const layers = [
		...[conv('conv1', 8, 11, 4), pool('pool1'), conv('conv2', 12, 5, 1), pool('pool2')],
		...[conv('conv3', 10, 3, 1), conv('conv4', 9, 3, 1), conv('conv5', 7, 3, 1), pool('pool5')],
		...[dropout('dropout5'), linear('fc6', 20, 'relu'), dropout('dropout6'), linear('fc7', 16, 'relu')],
		linear('fc8', 5, 'none'),
	];
	return {imageSize, crop, columns: 1, layers};
}
