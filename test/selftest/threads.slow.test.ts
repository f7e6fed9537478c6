// How many threads the selftest gives to the CPUs that it opens; a GPU would refuse to be given any.
import test from 'ava';
import {native} from '../../lib/device/native.ts';
import {selftest} from '../../lib/selftest/selftest.ts';
import {gather} from '../helpers/faulty-subject.ts';

const {Device} = native;
const cudaAvailability = native.cudaAvailability.bind(native);

test.afterEach.always(() => {
	native.Device = Device;
	native.cudaAvailability = cudaAvailability;
});

/** Tests devices, CPUs in the place of GPUs among them, and tells what each kind was opened with. */
async function openedWith(devices: readonly string[], threads?: number): Promise<string[]> {
	const opened = new Set<string>();
	native.cudaAvailability = () => ({...cudaAvailability(), reason: 'available'});
	native.Device = class extends Device {
		constructor(kind: string, index: number, given?: number) {
			super('cpu', index, given);
			opened.add(`${kind} ${given ?? 'as many as there are'}`);
		}
	};
	await gather(selftest({devices, threads, seed: 1}));
	return [...opened].toSorted();
}

test.serial('every CPU that is tested has as many threads as were asked for', async (t) => {
	t.deepEqual(await openedWith(['cpu:0'], 1), ['cpu 1']);
});

test.serial('of a GPU the CPU that it is compared with has them', async (t) => {
	t.deepEqual(await openedWith(['cuda:0'], 1), ['cpu 1', 'cuda as many as there are']);
});
