// What peers are asked, and how: JSON lines on the standard input and output of a process each (protocol below).
import {join} from 'node:path';

/** What is timed. */
export const works = ['inference-1', 'inference', 'train-step'] as const;
export type Work = (typeof works)[number];

/** What a peer finds in its folder, written by run.ts. */
export const files = (folder: string): Record<'onnx' | 'weights' | 'bytes' | 'planes' | 'labels', string> => ({
	/** `exportOnnx`'s: planes in, probabilities out. */
	onnx: join(folder, 'net.onnx'),
	/** `AlexNet.save`'s. */
	weights: join(folder, 'net.safetensors'),
	/** Pictures [N, 256, 256, 3], uint8. */
	bytes: join(folder, 'pictures.u8'),
	/** The centres of the same, [N, 3, 224, 224], fp32 from 0 to 255; no mean is subtracted. */
	planes: join(folder, 'planes.f32'),
	/** [N], int32. */
	labels: join(folder, 'labels.i32'),
});

/** A process's only argument, as JSON. */
export interface Job {
	readonly folder: string;
	/** N of the files above: pictures of a batch. */
	readonly batchSize: number;
	readonly threads: number;
	/** 'cpu', or 'cuda:0'. */
	readonly device: string;
	readonly precision: 'fp32' | 'bf16';
	/** Settings that the peer's authors advise for speed, instead of its defaults. */
	readonly tuned: boolean;
	readonly work: Work;
}

/** A line from the peer: first that it is ready and with what settings, then an answer to each question. */
export type Line =
	| {readonly kind: 'ready'; readonly version: string; readonly settings: string}
	| {readonly kind: 'missing'; readonly reason: string}
	/** Probabilities of the first picture, whatever the work is. */
	| {readonly kind: 'outputs'; readonly values: readonly number[]}
	| {readonly kind: 'times'; readonly milliseconds: readonly number[]};

/** A line to the peer. */
export type Question = {readonly ask: 'outputs'} | {readonly ask: 'times'; readonly calls: number};
