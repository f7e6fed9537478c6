// Caffe's bvlc_alexnet on one screen.
import type {PresetNet} from './parts.ts';

export const caffe: PresetNet = {
	about: "Caffe's bvlc_alexnet: crops of 227, LRN across both columns with k = 1, biases of 0.1.",
	crop: 227,
	columns: 2,
	init: 'caffe',
	// Caffe divides alpha, 1e-4, by the window's five channels.
	lrn: {size: 5, alpha: 1e-4 / 5, beta: 0.75, k: 1, reads: 'both'},
	layers: (net, {columns, classes}) => [
		net.conv('conv1', 48 * columns, {size: 11, stride: 4, pads: [0, 0, 0, 0], reads: 'both'}),
		...net.lrn('lrn1'),
		net.pool('pool1'),
		net.conv('conv2', 128 * columns, {size: 5, reads: 'own'}),
		...net.lrn('lrn2'),
		net.pool('pool2'),
		net.conv('conv3', 192 * columns, {size: 3, reads: 'both'}),
		net.conv('conv4', 192 * columns, {size: 3, reads: 'own'}),
		net.conv('conv5', 256, {size: 3, reads: 'own'}),
		net.pool('pool5'),
		net.linear('fc6', 4096),
		...net.dropout('dropout6'),
		net.linear('fc7', 4096),
		...net.dropout('dropout7'),
		net.linear('fc8', classes, 'none'),
	],
};
