// The net of the training code that was released in 2025, on one screen.
import type {PresetNet} from './parts.ts';

export const source2012: PresetNet = {
	about: 'The released 2012 code: as the paper, but ReLU after pooling in layers 1 and 5; conv3-5 start wider.',
	crop: 224,
	columns: 2,
	init: 'source2012',
	// The code divides 1e-4 by the five channels of a window.
	lrn: {size: 5, alpha: 1e-4 / 5, beta: 0.75, k: 2},
	layers: (net, {columns, classes}) => [
		net.conv('conv1', 48 * columns, {size: 11, stride: 4, pads: [0, 0, 3, 3], reads: 'both', activation: 'none'}),
		...net.lrn('lrn1'),
		net.pool('pool1'),
		net.activate('relu1'),
		net.conv('conv2', 128 * columns, {size: 5, reads: 'own'}),
		...net.lrn('lrn2'),
		net.pool('pool2'),
		net.conv('conv3', 192 * columns, {size: 3, reads: 'both'}),
		net.conv('conv4', 192 * columns, {size: 3, reads: 'own'}),
		net.conv('conv5', 256, {size: 3, reads: 'own', activation: 'none'}),
		net.pool('pool5'),
		net.activate('relu5'),
		net.linear('fc6', 4096),
		...net.dropout('dropout6'),
		net.linear('fc7', 4096),
		...net.dropout('dropout7'),
		net.linear('fc8', classes, 'none'),
	],
};
