// Nets of AlexNet's kinds of layers that take milliseconds.
import type {Architecture} from '../net/architecture.ts';
import type {LayerSpec} from '../net/layers/registry.ts';

/** Two columns, every kind of layer, 32 x 32 pictures of which it sees 27 x 27. */
export function tinyNet(classes = 3): Architecture {
	const conv = {type: 'conv2d', stride: 1, activation: 'relu', initial: {deviation: 0.05, bias: 0.1}} as const;
	const linear = {type: 'linear', initial: {deviation: 0.05, bias: 0.1}} as const;
	return {
		imageSize: 32,
		crop: 27,
		columns: 2,
		layers: [
			{
				...conv,
				name: 'conv1',
				kernels: 16,
				size: 7,
				stride: 2,
				pads: [0, 0, 1, 1],
				reads: 'both',
				initial: {deviation: 0.003, bias: 0},
			},
			{type: 'lrn', name: 'lrn1', size: 5, alpha: 1e-4, beta: 0.75, k: 2},
			{type: 'maxPool', name: 'pool1', size: 3, stride: 2},
			{...conv, name: 'conv2', kernels: 16, size: 3, pads: [1, 1, 1, 1], reads: 'own'},
			{...linear, name: 'fc6', outputs: 32, activation: 'relu'},
			{type: 'dropout', name: 'dropout6', rate: 0.25},
			{...linear, name: 'fc8', outputs: classes, activation: 'none'},
		],
	};
}

/** The same with all that AlexNet has where columns meet: a convolution and several linear layers that read both. */
export function meetingNet(): Architecture {
	const net = tinyNet();
	const at = net.layers.findIndex(({name}) => name === 'fc6');
	const [conv2, fc6] = [net.layers[at - 1]!, net.layers[at]!];
	const between = [
		{...conv2, name: 'conv3', kernels: 24, reads: 'both'},
		{type: 'maxPool', name: 'pool3', size: 3, stride: 2},
		{...fc6, name: 'fc5', outputs: 48},
	] as LayerSpec[];
	return {...net, layers: [...net.layers.slice(0, at), ...between, ...net.layers.slice(at)]};
}
