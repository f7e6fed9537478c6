// What the net's operations launch on a simulated GPU, at their real shapes: JSON on stdout. A process of its own for each
// GPU, started by launches.ts, which sets the simulator up so that it lists launches and runs none.
import {readFileSync, statSync} from 'node:fs';
import type {OperationTrial, Tensors} from '../../benchmarks/operation.ts';
import {operationNames, operationTrial} from '../../benchmarks/trials.ts';
import {deviceInfo, openDevice} from '../../lib/device/device.ts';
import {Memory} from '../../lib/device/memory.ts';
import type {NativeDevice} from '../../lib/device/native-device.ts';
import type {Precision} from '../../lib/net/options.ts';

/** A line of the simulator's list. */
export interface ListedLaunch {
	/** Mangled. */
	readonly kernel: string;
	readonly grid: readonly [number, number, number];
	readonly threads: number;
	readonly sharedBytes: number;
}

export interface ListedOperation {
	readonly trial: string;
	readonly precision: Precision;
	readonly batchSize: number;
	readonly multiprocessors: number;
	readonly launches: readonly ListedLaunch[];
}

const list = process.env.ALEXNET_SIMULATED_LAUNCHES ?? '';
/** A training step's batch; one picture, forward only. */
const batches = [128, 1] as const;

async function launchesOf(device: NativeDevice, trial: OperationTrial): Promise<ListedLaunch[]> {
	const memory = new Memory(device);
	try {
		const tensors: Record<string, ReturnType<Memory['allocate']>> = {};
		for (const [name, {shape, type, contents}] of Object.entries(trial.tensors)) {
			tensors[name] = memory.allocate(shape, type);
			// Labels and crops are checked on the host.
			if (contents.kind === 'bytes') tensors[name].write(contents.values());
		}
		const bytes = trial.workspaceBytes?.(tensors) ?? 0;
		const workspace = bytes > 0 ? {workspace: memory.allocate([bytes], 'uint8')} : {};
		const all: Tensors = Object.assign(tensors, workspace);
		await device.synchronize();
		const before = statSync(list).size;
		trial.run(all);
		await device.synchronize();
		const lines = readFileSync(list, 'utf8').slice(before).trim();
		return lines === '' ? [] : lines.split('\n').map((line) => JSON.parse(line) as ListedLaunch);
	} finally {
		memory.dispose();
		await device.synchronize();
	}
}

async function listAll(): Promise<ListedOperation[]> {
	const device = openDevice('cuda:0');
	const multiprocessors = deviceInfo(device.id)?.multiprocessors ?? 0;
	const found: ListedOperation[] = [];
	try {
		for (const precision of ['fp32', 'tf32', 'bf16'] as const) {
			if (precision === 'tf32' && !device.hasTf32) continue;
			for (const batchSize of batches) {
				for (const name of operationNames()) {
					const trial = operationTrial(name, batchSize, precision);
					if (batchSize === 1 && trial.inInference === 0) continue;
					const launches = await launchesOf(device, trial);
					found.push({trial: name, precision, batchSize, multiprocessors, launches});
				}
			}
		}
		return found;
	} finally {
		device.close();
	}
}

console.log(JSON.stringify(await listAll()));
