// A training run of the small net, in a process of its own that may be killed: small-run.ts <pictures> <run> <options>
import {AlexNet, ImageFolder} from '../../lib/index.ts';
import {describeError, exitCodeOf} from '../../cli/exit-codes.ts';
import {Interruptible} from '../../cli/interrupt.ts';
import {Output} from '../../cli/output.ts';
import {trainInTerminal} from '../../cli/train-run.ts';
import type {RunConfig} from '../../lib/run/run-files.ts';
import {RunFolder} from '../../lib/run/run-folder.ts';
import {tinyNet} from './networks.ts';
import {beginning, type SmallRunOptions} from './small-runs.ts';

async function openRun(path: string, data: ImageFolder, options: SmallRunOptions): Promise<[AlexNet, RunFolder]> {
	const found = options.resume ? await RunFolder.read(path) : undefined;
	process.stdout.write(`${beginning}\n`);
	if (found?.hasCheckpoint) {
		const model = await AlexNet.load(`${path}/last.safetensors`);
		return [model, await RunFolder.resume(path, found.config, model)];
	}
	const {batchSize} = options;
	const rates = {learningRate: 0.003, momentum: 0.9, weightDecay: 0.002};
	const net = {architecture: tinyNet(data.labels.length), labels: data.labels};
	const model = AlexNet.uninitialized({...net, ...rates, batchSize, seed: 11});
	await model.initialize();
	const config: RunConfig = {epochs: options.epochs};
	return [model, found ? await RunFolder.resume(path, found.config, model) : await RunFolder.create(path, config)];
}

async function smallRun(pictures: string, path: string, options: SmallRunOptions): Promise<void> {
	const output = new Output();
	using interruptible = new Interruptible(() => output.note('ending'));
	const data = await ImageFolder.open(pictures, {imageSize: 32, validationFraction: 0.25, seed: 3});
	const [opened, run] = await openRun(path, data, options);
	await using model = opened;
	await trainInTerminal({
		...{model, data, run, output, init: 'paper', signal: interruptible.signal},
		// Validation that does not improve at once divides the rate, so that the schedule's state counts.
		training: {epochs: options.epochs, patience: 1, crops: 10},
		saveEvery: {steps: options.saveEverySteps},
	});
}

const [pictures = '', path = '', options = '{}'] = process.argv.slice(2);
try {
	await smallRun(pictures, path, JSON.parse(options) as SmallRunOptions);
} catch (error) {
	process.stderr.write(`${describeError(error)}\n`);
	process.exitCode = exitCodeOf(error);
}
