// The net of the paper on one screen.                                                             paper 3.5, figure 2
import type {PresetNet} from './parts.ts';

export const paper: PresetNet = {
	about: 'NIPS 2012, the text: two columns; LRN in each, then pooling.',
	crop: 224,
	columns: 2,
	init: 'paper',
	// 3.3: k = 2, n = 5, alpha = 1e-4, beta = 0.75; alpha is not divided by n.
	lrn: {size: 5, alpha: 1e-4, beta: 0.75, k: 2},
	layers: (net, {columns, classes}) => [
		// 224 is no multiple of 4 plus 11: the last window reads 3 pixels beyond the right and bottom edges.
		net.conv('conv1', 48 * columns, {size: 11, stride: 4, pads: [0, 0, 3, 3], reads: 'both'}),
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
