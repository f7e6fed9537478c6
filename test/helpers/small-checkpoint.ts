// A net that takes milliseconds although it sees pictures of the usual size: for what the command line does with nets.
import {AlexNet} from '../../lib/classifier.ts';
import type {Architecture} from '../../lib/net/architecture.ts';

const conv = {type: 'conv2d', stride: 1, activation: 'relu', reads: 'own', initial: {gain: 1, bias: 0.1}} as const;
const linear = {type: 'linear', activation: 'relu', initial: {gain: 1, bias: 0.1}} as const;

/** Two classes. */
export const quickNet: Architecture = {
	imageSize: 256,
	crop: 224,
	columns: 2,
	layers: [
		{...conv, name: 'conv1', kernels: 8, size: 11, stride: 8, pads: [0, 0, 3, 3], reads: 'both'},
		{type: 'maxPool', name: 'pool1', size: 3, stride: 2},
		{...conv, name: 'conv2', kernels: 16, size: 3, pads: [1, 1, 1, 1]},
		{type: 'maxPool', name: 'pool5', size: 3, stride: 2},
		{...linear, name: 'fc7', outputs: 32},
		{type: 'dropout', name: 'dropout7', rate: 0.25},
		{...linear, name: 'fc8', outputs: 2, activation: 'none', initial: {deviation: 0.05, bias: 0}},
	],
};

/** Writes one that has learned nothing yet. */
export async function writeSmallCheckpoint(path: string): Promise<void> {
	await using model = AlexNet.uninitialized({architecture: quickNet, labels: ['cat', 'dog'], seed: 1});
	await model.initialize();
	await model.save(path, {momentum: false});
}
