import type {DataType, NativeDevice, Shape, Tensor} from './native.ts';

/** Tensors of one device that live and go together. */
export class Memory {
	readonly device: NativeDevice;
	readonly #tensors: Tensor[] = [];

	constructor(device: NativeDevice) {
		this.device = device;
	}

	allocate(shape: Shape, dataType: DataType): Tensor {
		const tensor = this.device.allocate(shape, dataType);
		this.#tensors.push(tensor);
		return tensor;
	}

	/** The same memory seen otherwise; goes with the rest, so that no forgotten view keeps the memory. */
	view(tensor: Tensor, shape: Shape, dataType: DataType, byteOffset = 0): Tensor {
		const view = tensor.view(shape, dataType, byteOffset);
		this.#tensors.push(view);
		return view;
	}

	/** Idempotent. Work that is queued already keeps what it needs. */
	dispose(): void {
		for (const tensor of this.#tensors.splice(0)) tensor.dispose();
	}
}

export function elementsOf(shape: Shape): number {
	return shape.reduce((product, dimension) => product * dimension, 1);
}
