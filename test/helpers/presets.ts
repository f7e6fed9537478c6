// The presets in small: every layer in its place, an eighth of the channels, crops that just reach the last pooling.
import {alexnet, type ArchitectureOptions} from '../../lib/net/alexnet.ts';
import type {Architecture} from '../../lib/net/architecture.ts';
import type {LayerSpec} from '../../lib/net/layers/registry.ts';

/** conv1, of 11 pixels and stride 4, makes 15 of so many, with their pads; pooling then makes 7, 3 and 1. */
const padded = 67;

export function smallPreset(options: Omit<ArchitectureOptions, 'classes'>, classes = 4): Architecture {
	const net = alexnet({...options, classes});
	const conv1 = net.layers.find((spec) => spec.type === 'conv2d')!;
	const crop = padded - conv1.pads[0] - conv1.pads[2];
	return {...net, imageSize: padded + 3, crop, layers: net.layers.map(small)};
}

function small(spec: LayerSpec): LayerSpec {
	if (spec.type === 'conv2d') return {...spec, kernels: spec.kernels / 8};
	return spec.type === 'linear' && spec.activation !== 'none' ? {...spec, outputs: spec.outputs / 64} : spec;
}
