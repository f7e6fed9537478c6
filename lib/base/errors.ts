/** Every error of this package carries one of these codes; they are stable, messages are not. */
export type ErrorCode =
	/** An option has a value it cannot have. */
	| 'ALEXNET_ARGUMENT'
	/** A tensor or array has the wrong shape. */
	| 'ALEXNET_SHAPE'
	/** A tensor has the wrong data type. */
	| 'ALEXNET_DATA_TYPE'
	/** There is no such device here, or tensors of several devices were mixed. */
	| 'ALEXNET_DEVICE'
	/** A label is not one of the classes. */
	| 'ALEXNET_LABEL'
	/** Not enough memory. */
	| 'ALEXNET_MEMORY'
	/** Something was used after dispose(). */
	| 'ALEXNET_DISPOSED'
	/** MPI or the module for it cannot be had, or a rank has left the others. */
	| 'ALEXNET_MPI'
	/** A queued operation failed while it ran. */
	| 'ALEXNET_OPERATION'
	/** Another device that works on the same net failed before; its own error says why. */
	| 'ALEXNET_PEER'
	/** The native addon could not be loaded. */
	| 'ALEXNET_ADDON'
	/** A picture folder is missing, empty, without classes, cannot be read or fetched now, or is not as the run began. */
	| 'ALEXNET_FOLDER'
	/** A picture cannot be decoded. */
	| 'ALEXNET_PICTURE'
	/** A checkpoint cannot be read, or belongs to something else. */
	| 'ALEXNET_CHECKPOINT'
	/** Another program's file cannot be read, or holds a net that this package cannot have. */
	| 'ALEXNET_IMPORT'
	/** A run folder holds a checkpoint already, holds no run to resume, or cannot be written. */
	| 'ALEXNET_RUN'
	/** The loss, a probability that classes are told by, or a weight that would be saved, is not a finite number. */
	| 'ALEXNET_LOSS';

/** The one class of errors that this package throws on purpose. */
export class AlexNetError extends Error {
	/** The class's name, by which its errors can be told in any realm. */
	override readonly name: string = 'AlexNetError';
	/** What went wrong, for programs. */
	readonly code: ErrorCode;

	constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
		super(message, options);
		this.code = code;
	}
}

/** Thrown where a model, a device or a tensor is used after its `dispose()`. */
export class DisposedError extends AlexNetError {
	/** The class's name, too. */
	override readonly name = 'DisposedError';

	constructor(message: string) {
		super('ALEXNET_DISPOSED', message);
	}
}

/** Whether an error is one of this package's, with the given code if one is named. */
export function isAlexNetError(error: unknown, code?: ErrorCode): error is AlexNetError {
	return error instanceof AlexNetError && (code === undefined || error.code === code);
}

/** What anything that was thrown says. */
export function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/** The error of a code; the addon makes its own with this. */
export function makeError(code: ErrorCode, message: string): AlexNetError {
	return code === 'ALEXNET_DISPOSED' ? new DisposedError(message) : new AlexNetError(code, message);
}
