// torchvision's alexnet on one screen: the net of "One weird trick for parallelizing convolutional neural networks",
// Krizhevsky 2014.
import type {PresetNet} from './parts.ts';

export const owt: PresetNet = {
	about: 'torchvision\'s alexnet, of "One weird trick" (2014): one column, no LRN, dropout before fc6 and fc7.',
	crop: 224,
	columns: 1,
	// PyTorch's start is uniform with a deviation of 0.58 / sqrt(inputs), for pictures of deviation 1; these are 0-255.
	init: 'he',
	layers: (net, {classes}) => [
		net.conv('conv1', 64, {size: 11, stride: 4, pads: [2, 2, 2, 2], reads: 'both'}),
		net.pool('pool1'),
		net.conv('conv2', 192, {size: 5, reads: 'both'}),
		net.pool('pool2'),
		net.conv('conv3', 384, {size: 3, reads: 'both'}),
		net.conv('conv4', 256, {size: 3, reads: 'both'}),
		net.conv('conv5', 256, {size: 3, reads: 'both'}),
		net.pool('pool5'),
		...net.dropout('dropout5'),
		net.linear('fc6', 4096),
		...net.dropout('dropout6'),
		net.linear('fc7', 4096),
		net.linear('fc8', classes, 'none'),
	],
};
