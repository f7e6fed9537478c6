// A device, as the addon gives it: what fails on its queue rejects its next promise.
import type {DataType, DeviceEvent, Shape, Tensor} from './tensor.ts';

/** Memory that tensors take. */
export interface MemoryUse {
	/** Bytes held now. */
	bytes: number;
	/** How many allocations there ever were; training steps of one batch size make none after the first. */
	allocations: number;
}

/** An in-order queue of operations, and memory. Calls queue and return; what fails there rejects the next promise. */
export interface NativeDevice {
	/** As `openDevice` takes it: "cpu:0", "cuda:1". */
	readonly id: string;
	/** Sentences on what could not be had, when it was opened or since, and is done otherwise; mostly none. */
	readonly notes: readonly string[];
	/** Whether products may be given `tf32`: on GPUs from compute capability 8.0 on. */
	readonly hasTf32: boolean;
	/** What its tensors take, and have taken. */
	memory(): MemoryUse;
	/** Bytes that could still be allocated now. */
	freeBytes(): number;
	/**
	 * Bytes that tensors of these sizes, in bytes, take at most, with what their transfers and a net's operations need
	 * besides and have not taken yet, and recordings of so many layers' passes (default 0).
	 *
	 * @throws ALEXNET_ARGUMENT where it is no array of sizes, or no number of passes.
	 */
	needOf(tensors: readonly number[], recorded?: number): number;
	/**
	 * Queues taking what {@link NativeDevice.needOf} counts besides the tensors, so that nothing has to be found later.
	 * Errors as of it.
	 */
	reserve(tensors: readonly number[]): void;
	/** Takes memory, whose contents are whatever was there. Throws ALEXNET_MEMORY where there is too little. */
	allocate(shape: Shape, dataType: DataType): Tensor;
	/**
	 * Memory of the host, which lives as long as it is referred to. A GPU copies from and to it by itself, without the
	 * host's threads: the system locks its pages; where it locks no more, and for a CPU, it is ordinary memory. It serves
	 * all devices of the kind. Its contents are whatever was there.
	 *
	 * @throws ALEXNET_ARGUMENT where `bytes` is no integer of at least 1.
	 */
	allocateHost(bytes: number): ArrayBuffer;
	/** A tensor without memory, on which no operation runs: for finding out what is needed. */
	outline(shape: Shape, dataType: DataType): Tensor;
	/** Happens when all that was queued so far has ended. */
	record(): DeviceEvent;
	/** What is queued later on this device runs after the event. */
	wait(event: DeviceEvent): void;
	/**
	 * Milliseconds that the device takes for what `work` queues, from the end of what was queued before to the end of it:
	 * of a GPU by its own clock. Rejects as `synchronize`, and on simulated GPUs, which have no clock.
	 *
	 * @throws ALEXNET_ARGUMENT where `work` is no function; what it throws.
	 */
	timed(work: () => void): Promise<number>;
	/** Resolves when all that was queued has ended; rejects with the first failure since the last promise. */
	synchronize(): Promise<void>;
	/**
	 * Resolves when all that was queued has been handed to the device, which may still be at work; rejects with the first
	 * failure since the last promise, but for one of the device's own that is yet to come.
	 */
	submitted(): Promise<void>;
	/** Drops queued work, waits for what runs. Idempotent. */
	close(): void;
}

/** A device of this machine. The CUDA versions of build and driver are in {@link CudaAvailability}. */
export interface DeviceInfo {
	/** As `openDevice` and `AlexNet.create` take it: "cpu:0", "cuda:1". */
	id: string;
	/** The id's first part. The devices of one net are of one kind. */
	kind: 'cpu' | 'cuda';
	/** The processor's or the board's name. */
	name: string;
	/** Memory in bytes: the machine's or the control group's for a CPU, the board's for a GPU. */
	memoryBytes: number;
	/** Whether bf16 arithmetic runs in hardware; where it does not, it works but is slow. */
	nativeBfloat16: boolean;
	/** CPU: threads used when it is the only device and nothing else is asked for. */
	threads?: number;
	/** CPU: what allows no more threads, for example "OMP_NUM_THREADS" or "CPU quota"; left out where it is the machine. */
	threadsLimitedBy?: string;
	/** CPU: the library that multiplies and its instruction set, which decide the last bits of results. */
	arithmetic?: string;
	/** CUDA: for example "8.6". */
	computeCapability?: string;
	/** CUDA: streaming multiprocessors. */
	multiprocessors?: number;
	/** CUDA: where the board is plugged in, as `nvidia-smi --id` takes it. */
	pciAddress?: string;
	/** CUDA: ids of the devices that reach this one's memory without the host's help; none with `ALEXNET_PEER=0`. */
	peers?: string[];
	/** Bytes that could be allocated now; only where `listDevices({probe: true})` asks and the device can be opened. */
	freeBytes?: number;
	/** Why the device cannot be opened, though it is there; also only where that asks. */
	problem?: string;
	/** Sentences on what could not be had when it was opened, and is done otherwise; also only where that asks. */
	notes?: readonly string[];
}

/** Whether CUDA devices can be had here, and why not. */
export interface CudaAvailability {
	/** What is missing, if anything: a CUDA part of this build, a driver, a newer driver, a GPU that it can use. */
	reason: 'available' | 'not-built' | 'no-driver' | 'driver-too-old' | 'no-device';
	/** A sentence that says what to do. */
	message: string;
	/** CUDA version this build was made with, 13000 meaning 13.0; 0 where it has no CUDA part. */
	runtimeVersion: number;
	/** Newest CUDA version the driver supports; 0 where there is no driver. */
	driverVersion: number;
	/** Compute capabilities for which this build has machine code, and PTX: "7.5, 8.0 and PTX 8.0"; empty without a CUDA part. */
	builtFor: string;
}
