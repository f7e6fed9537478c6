// Memory of a device, as the addon gives it.

/** What a tensor is made of. */
export type DataType = 'float32' | 'bfloat16' | 'int32' | 'uint8';
/** Dimensions, the outermost first. */
export type Shape = readonly number[];

/** What a tensor reads and writes, by data type; bfloat16 travels as the upper halves of floats, in a Uint16Array. */
export type HostArray = Float32Array | Uint16Array | Int32Array | Uint8Array;

/** Memory of a device, dense, the last dimension contiguous. Dispose of it when done. */
export interface Tensor {
	/** One to four dimensions, the outermost first; an array of its own each time. */
	readonly shape: number[];
	/** What it is made of, and so which {@link HostArray} `write` and `read` take. */
	readonly dataType: DataType;
	/** The `DeviceInfo.id` of the device whose memory it is. */
	readonly deviceId: string;
	/** The same memory with another shape, type or start. Keeps the memory alive on its own. */
	view(shape: Shape, dataType: DataType, byteOffset?: number): Tensor;
	/**
	 * Queues a copy from the host. Leave the array as it is, and where it is (`transfer`), until the device's next promise
	 * has settled.
	 *
	 * @throws ALEXNET_DATA_TYPE where it is not the {@link HostArray} of the data type, ALEXNET_SHAPE where it has another
	 *   length, ALEXNET_ARGUMENT where its buffer is resizable.
	 */
	write(source: HostArray): void;
	/**
	 * Begins a copy from the host beside the queue: at once or, where the tensor may still be in use, when an event has
	 * happened that its device recorded after the last use. Before it is used again, its device must wait for the event
	 * that is returned. Leave the array as it is until a promise has settled that was made after that wait. Errors as of
	 * `write`.
	 */
	writeBeside(source: HostArray, after?: DeviceEvent): DeviceEvent;
	/**
	 * Queues a copy to the host. The array is whole when the promise resolves; what is queued later may run before that
	 * where the array lies in memory of `allocateHost`. Errors as of `write`.
	 */
	read(destination: HostArray): Promise<void>;
	/** Releases the memory as soon as queued work no longer needs it. Idempotent. */
	dispose(): void;
}

declare const eventBrand: unique symbol;

/** Something that happens on a device's queue, for another device to wait for. */
export interface DeviceEvent {
	/** @hidden What `record` and `send` return is one, and nothing else. */
	readonly [eventBrand]: true;
}
