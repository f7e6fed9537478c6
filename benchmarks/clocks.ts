// A GPU's clocks while it works: they fall with heat and power, and times with them.
import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import {messageOf} from '../lib/base/errors.ts';

/** Megahertz, degrees Celsius, watts. What nvidia-smi does not tell is left out. */
export interface Clocks {
	processor?: number;
	processorAtMost?: number;
	memory?: number;
	memoryAtMost?: number;
	temperature?: number;
	power?: number;
	powerAtMost?: number;
	/** Why there are none of them. */
	unknown?: string;
}

/** By nvidia-smi's names. */
const queries = {
	processor: 'clocks.sm',
	processorAtMost: 'clocks.max.sm',
	memory: 'clocks.mem',
	memoryAtMost: 'clocks.max.mem',
	temperature: 'temperature.gpu',
	power: 'power.draw',
	powerAtMost: 'power.limit',
} as const;

/** Reads the clocks of the board with this PCI address while `work` runs, again and again until they are known. */
export async function clocksDuring(pciAddress: string, work: () => Promise<unknown>): Promise<Clocks> {
	let isKnown = false;
	const reading = read(pciAddress).finally(() => {
		isKnown = true;
	});
	// It changes in the callback above.
	while (!(isKnown as boolean)) await work();
	return reading;
}

async function read(pciAddress: string): Promise<Clocks> {
	const query = `--query-gpu=${Object.values(queries).join()}`;
	try {
		const options = [`--id=${pciAddress}`, query, '--format=csv,noheader,nounits'];
		const {stdout} = await promisify(execFile)('nvidia-smi', options, {timeout: 10_000});
		const values = stdout.trim().split(',').map(Number);
		return Object.fromEntries(
			Object.keys(queries).flatMap((name, index) => {
				const value = values[index] ?? NaN;
				return Number.isFinite(value) ? [[name, value] as const] : [];
			}),
		);
	} catch (error) {
		return {unknown: `nvidia-smi does not tell: ${messageOf(error).trim().split('\n')[0] ?? ''}`};
	}
}
