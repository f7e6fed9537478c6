import {isAlexNetError, messageOf, type ErrorCode} from '../base/errors.ts';
import {native} from '../device/native.ts';
import type {NativeDevice} from '../device/native-device.ts';
import type {Precision} from '../net/options.ts';
import type {Tally} from './result.ts';

/** Opens a device, as lib/device/device.ts does. */
export type Open = (id: string) => NativeDevice;

/** A device that may fail: after an error it is tried again, opened anew where it must be, and given up where it is lost. */
export class TestedDevice implements Disposable {
	readonly id: string;
	/** Whether it does nothing any more, and so is not tested any more. */
	isLost = false;
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

	/** Whether products may be in TF32; a device that cannot be opened has none. */
	get hasTf32(): boolean {
		try {
			return !this.isLost && this.device.hasTf32;
		} catch {
			return false;
		}
	}

	/**
	 * Runs a part of a test, and says of an error in which part it came.
	 *
	 * @param devices all that take part
	 */
	static async attempt(
		devices: readonly TestedDevice[],
		tally: Tally,
		{precision, what}: {precision: Precision; what: string},
		body: () => Promise<void>,
	): Promise<void> {
		const lost = devices.find(({isLost}) => isLost);
		if (lost) {
			tally.notRun(`${lost.id} has failed`);
			return;
		}
		try {
			await body();
		} catch (error) {
			tally.failed(precision, what, messageOf(error), codeOf(error));
			for (const device of devices) await device.#recover();
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
				return;
			} catch {
				// What was wrong at first has been told.
			}
		}
		this.isLost = true;
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

function codeOf(error: unknown): ErrorCode | undefined {
	return isAlexNetError(error) ? error.code : undefined;
}
