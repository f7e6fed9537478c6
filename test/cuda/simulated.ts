// Runs TypeScript on simulated GPUs, in a process of its own: the settings are read once, and a fault ends all of it.
import {spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {root} from '../helpers/sources.ts';

export interface Ended {
	status: number | null;
	stdout: string;
	stderr: string;
}

/** Settings as in simulator/README.md without their "ALEXNET_SIMULATED_", and what our own variables are set to. */
export type Settings = Partial<
	Record<
		| 'GPUS'
		| 'PROFILE'
		| 'PROCESSORS'
		| 'MEMORY'
		| 'BLOCK'
		| 'PEERS'
		| 'SCHEDULE'
		| 'PTX'
		| 'FAULT'
		| 'TRACE'
		| 'LAUNCHES'
		| 'CHECKS'
		| 'ALEXNET_SYNC'
		| 'ALEXNET_PEER'
		| 'ALEXNET_GRAPH',
		string
	>
>;

/** Runs a file with arguments on two simulated GPUs, unless the settings say otherwise. */
export function onSimulatedGpus(settings: Settings, file: string, args: readonly string[] = []): Ended {
	const others = Object.entries(process.env).filter(([name]) => !/^ALEXNET_(SIMULATED_|SYNC$|PEER$|GRAPH$)/.test(name));
	const env: NodeJS.ProcessEnv = Object.fromEntries(others);
	for (const [name, value] of Object.entries({GPUS: '2', ...settings})) {
		env[name.startsWith('ALEXNET_') ? name : `ALEXNET_SIMULATED_${name}`] = value;
	}
	return spawnSync(process.execPath, ['--import=tsx', join(root, file), ...args], {
		cwd: root,
		env,
		encoding: 'utf8',
		timeout: 120_000,
	});
}
