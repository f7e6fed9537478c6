import type {NativeDevice} from '../device/native-device.ts';

const runs = 5;

/** The median time of a few calls, from the call to the end of what it queues on these devices. */
export async function medianMilliseconds(devices: readonly NativeDevice[], call: () => void): Promise<number> {
	const times: number[] = [];
	for (let run = 0; run < runs; run++) {
		const start = performance.now();
		call();
		await Promise.all(devices.map((device) => device.synchronize()));
		times.push(performance.now() - start);
	}
	return times.toSorted((a, b) => a - b)[Math.floor(runs / 2)] ?? NaN;
}
