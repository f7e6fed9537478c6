/** What a recording is done with again. */
export interface Replay {
	/** Updates made so far, for the masks of dropouts: in place of the step that they were recorded with. */
	readonly step: number;
}

/** Work on devices, kept so that it can be queued again by one call: a pass over a batch, on the same tensors. */
export interface Recording {
	/**
	 * Queues the work once more. A GPU takes what lies between two exchanges with another one as a CUDA graph, one launch,
	 * from the second time on. Labels and crops are checked before the first operation of such a graph runs.
	 *
	 * @throws ALEXNET_DISPOSED after dispose(), or where a device was closed.
	 */
	replay(options: Replay): void;
	/** Forgets the work, which holds the memory of its tensors. Idempotent. What is queued already goes on. */
	dispose(): void;
}

/**
 * Takes down what `work` queues on the devices, which do none of it: operations, `send`, and `wait` for what that returns.
 *
 * @throws ALEXNET_ARGUMENT where it asks them for anything else; what it throws.
 */
export type MakeRecording<Device> = new (devices: readonly Device[], work: () => void) => Recording;
