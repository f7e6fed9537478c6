import type {Command} from 'commander';
import {cudaAvailability, listDevices} from '../../index.ts';
import {describeCudaVersions, describeDevice} from '../devices-in-words.ts';
import {table} from '../format.ts';
import {Output} from '../output.ts';
import {commonOptions} from '../parse.ts';

export function addDevices(program: Command): void {
	program
		.command('devices')
		.description('list the devices a net can run on here, and say why there is no CUDA device')
		.addOption(commonOptions.json())
		.action(({json}: {json?: boolean}) => {
			const output = new Output({json});
			const devices = listDevices();
			const cuda = cudaAvailability();
			if (output.isJson) {
				output.json({devices, cuda});
				return;
			}
			const rows = devices.map((device) => [
				device.id,
				describeDevice(device),
				`${(device.memoryBytes / 2 ** 30).toFixed(1)} GiB`,
				device.nativeBfloat16 ? 'in hardware' : 'emulated, slow',
			]);
			output.result(table(['id', 'device', 'memory', 'bf16'], rows));
			const versions = describeCudaVersions(cuda);
			if (cuda.reason !== 'available') output.result(`\nNo CUDA device: ${cuda.message}`);
			if (versions) output.result(versions);
		});
}
