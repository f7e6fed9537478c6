import {isAlexNetError, type ErrorCode} from '../errors.ts';
import {native, type NativeDevice} from '../native.ts';
import type {Precision} from '../options.ts';
import type {Tally} from './result.ts';

/** Opens a device, as lib/device.ts does. */
export type Open = (id: string) => NativeDevice;

/** A device that may fail: after an error it is tried again, opened anew where it must be, and given up where it is lost. */
export class TestedDevice implements Disposable {
	readonly id: string;
	/** Why it is not tested any more. */
	failure: string | undefined;
	readonly #open: Open;
	#device: NativeDevice | undefined;

	constructor(id: string, open: Open) {
		this.id = id;
		this.#open = open;
	}

	/** The open device. */
	get device(): NativeDevice {
		this.#device ??= this.#open(this.id);
		return this.#device;
	}

	/**
	 * Runs a part of a test, and says of an error in which part it came.
	 *
	 * @param devices all that take part
	 * @returns whether it came to its end
	 */
	static async attempt(
		devices: readonly TestedDevice[],
		tally: Tally,
		{precision, what}: {precision: Precision; what: string},
		body: () => Promise<void>,
	): Promise<boolean> {
		const lost = devices.find(({failure}) => failure !== undefined);
		if (lost) {
			tally.notRun(`${lost.id} failed: ${lost.failure ?? ''}`);
			return false;
		}
		try {
			await body();
			return true;
		} catch (error) {
			tally.failed(precision, what, messageOf(error), codeOf(error));
			for (const device of devices) await device.#recover();
			return false;
		}
	}

	[Symbol.dispose](): void {
		this.#device?.close();
		this.#device = undefined;
	}

	async #recover(): Promise<void> {
		// What else has failed on the queue has the same cause.
		await this.#device?.synchronize().catch(() => undefined);
		for (const attempt of ['as it is', 'anew']) {
			try {
				if (attempt === 'anew') this[Symbol.dispose]();
				await requireWork(this.device);
				this.failure = undefined;
				return;
			} catch (error) {
				this.failure = messageOf(error);
			}
		}
		this[Symbol.dispose]();
	}
}

/** @throws where the device computes nothing any more. */
async function requireWork(device: NativeDevice): Promise<void> {
	const tensor = device.allocate([1], 'float32');
	try {
		const answer = new Float32Array(1);
		native.fill({output: tensor, value: 1});
		await tensor.read(answer);
		if (answer[0] !== 1) throw new Error('It does not do the simplest operation any more.');
	} finally {
		tensor.dispose();
	}
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): ErrorCode | undefined {
	return isAlexNetError(error) ? error.code : undefined;
}
