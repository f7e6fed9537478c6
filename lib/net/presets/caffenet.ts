// Caffe's bvlc_reference_caffenet on one screen.
import type {PresetNet} from './parts.ts';

export const caffenet: PresetNet = {
	about: "Caffe's bvlc_reference_caffenet: as caffe, but pooling comes before LRN, and biases are the paper's.",
	crop: 227,
	columns: 2,
	init: 'caffenet',
	lrn: {size: 5, alpha: 1e-4 / 5, beta: 0.75, k: 1, reads: 'both'},
	layers: (net, {columns, classes}) => [
		net.conv('conv1', 48 * columns, {size: 11, stride: 4, pads: [0, 0, 0, 0], reads: 'both'}),
		net.pool('pool1'),
		...net.lrn('lrn1'),
		net.conv('conv2', 128 * columns, {size: 5, reads: 'own'}),
		net.pool('pool2'),
		...net.lrn('lrn2'),
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
