import type {Command} from 'commander';
import {cudaAvailability, listDevices, type DeviceInfo} from '../../lib/index.ts';
import {describeCudaVersions, describeDevice} from '../devices-in-words.ts';
import {gibibytes, table} from '../format.ts';
import {Output} from '../output.ts';
import {addOptions, commonChecks} from '../parse.ts';

function row({freeBytes, peers, ...device}: DeviceInfo): string[] {
	return [
		device.id,
		describeDevice(device),
		gibibytes(device.memoryBytes),
		freeBytes === undefined ? '?' : gibibytes(freeBytes),
		device.nativeBfloat16 ? 'in hardware' : 'emulated, slow',
		peers?.length === 0 ? 'none' : (peers ?? []).join(', '),
	];
}

export function addDevices(program: Command): void {
	const command = program
		.command('devices')
		.description('list the devices a net can run on here, and say why there is no CUDA device');
	addOptions(command, commonChecks, '--json');
	command.action(({json}: {json?: boolean}) => {
		const output = new Output({json});
		const devices = listDevices({probe: true});
		const cuda = cudaAvailability();
		if (output.isJson) {
			output.json({devices, cuda});
			return;
		}
		output.result(table(['id', 'device', 'memory', 'free', 'bf16', 'peers'], devices.map(row)));
		for (const {id, problem} of devices) if (problem !== undefined) output.result(`\n${id} cannot be used: ${problem}`);
		for (const note of devices.flatMap(({notes = []}) => notes)) output.result(`\n${note}`);
		const versions = describeCudaVersions(cuda);
		if (cuda.reason !== 'available') output.result(`\nNo CUDA device: ${cuda.message}`);
		if (versions) output.result(versions);
	});
}
