import type {Command} from 'commander';
import {diagnose} from '../doctor.ts';
import {exitCodes} from '../exit-codes.ts';
import {Output} from '../output.ts';
import {addOptions, commonChecks} from '../parse.ts';

export function addDoctor(program: Command): void {
	const command = program
		.command('doctor')
		.summary('say what is here to train with, and what is missing')
		.description(
			'Look at the addon, its libraries, the processor, the memory, the NVIDIA driver and the GPUs, and say what to do ' +
				`about what is wrong. Ends with code ${exitCodes.failed} where no device can train.`,
		);
	addOptions(command, commonChecks, '--json');
	command.action(async ({json}: {json?: boolean}) => {
		const output = new Output({json});
		const {canTrain, findings, advice, facts} = await diagnose();
		output.json({canTrain, advice, findings: Object.fromEntries(findings.filter(([name]) => name !== '')), ...facts});
		const width = Math.max(...findings.map(([name]) => name.length));
		const lines = findings.map(([name, what]) => `${name.padEnd(width)}  ${what}`);
		const end = canTrain ? 'A net can be trained here.' : 'No net can be trained here.';
		if (!output.isJson) output.result([...lines, '', end, ...advice].join('\n'));
		if (!canTrain) process.exitCode = exitCodes.failed;
	});
}
