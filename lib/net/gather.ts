import type {Parts} from './layers/layer.ts';
import type {Memory} from '../device/memory.ts';
import {native} from '../device/native.ts';
import type {Shape, Tensor} from '../device/tensor.ts';
import {toFile} from './parameter.ts';

/**
 * Brings what a layer puts out together on the first device, in fp32 and PyTorch's order: [N, C, H, W], column 0's
 * channels first; of a linear layer [N, I, 1, 1].
 *
 * @param parts a column on each device; channels last
 */
export function gather(parts: Parts, memories: readonly Memory[]): {readonly whole: Tensor; readonly run: () => void} {
	const [memory] = memories;
	if (!memory) throw new Error('Nothing can be gathered without a device.');
	const shapes = parts.map(({shape}) => channelsLast(shape));
	const [images = 0, height = 0, width = 0] = shapes[0] ?? [];
	const channels = shapes.reduce((sum, shape) => sum + (shape[3] ?? 0), 0);
	const whole = memory.allocate([images, channels, height, width], 'float32');
	let start = 0;
	const calls = parts.map((part, device) => {
		const wide = part.dataType === 'float32' ? part : memories[device]?.allocate(part.shape, 'float32');
		const here = device === 0 ? wide : memory.allocate(part.shape, 'float32');
		if (!wide || !here) throw new Error('A part lies on no device.');
		const shape = shapes[device] ?? [];
		const input = memory.view(here, shape, 'float32');
		const outputStart = [0, start, 0, 0];
		start += shape[3] ?? 0;
		return (): void => {
			if (wide !== part) native.cast({input: part, output: wide});
			if (here !== wide) native.copy({input: wide, output: here});
			native.permute({input, output: whole, axes: toFile, outputStart});
		};
	});
	return {
		whole,
		run: () => {
			for (const call of calls) call();
		},
	};
}

/** [N, H, W, C]; a linear layer's outputs are channels of one pixel. */
function channelsLast(shape: Shape): Shape {
	const [images = 0, features = 0] = shape;
	return shape.length === 4 ? shape : [images, 1, 1, features];
}
