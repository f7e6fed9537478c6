// What the library says of its options, as users of the command line read it.
import {Option} from 'commander';
import test from 'ava';
import {describeError} from '../../cli/exit-codes.ts';
import {inOptionNames} from '../../cli/option-names.ts';
import {createProgram} from '../../cli/program.ts';
import {smallerBatch} from '../../lib/device/memory.ts';
import {AlexNetError} from '../../lib/index.ts';

const allCommands = createProgram().commands.flatMap((command) => [command, ...command.commands]);
const ofTrain = allCommands.find((command) => command.name() === 'train')?.options ?? [];

const messages: readonly (readonly [string, string])[] = [
	['Use a batchSize of at most 4.', 'Use a --batch-size of at most 4.'],
	['Try a lower learningRate than 0.01, or weightDecay.', 'Try a lower --learning-rate than 0.01, or --weight-decay.'],
	['divideAt[1] must be an integer, got 0.', '--divide-at[1] must be an integer, got 0.'],
	['seed must be an integer, got -1.', '--seed must be an integer, got -1.'],
	["devices must be a device's id, got 3.", "--device must be a device's id, got 3."],
	['The seed must be the same.', 'The seed must be the same.'],
	['a run with seed 1, not 2', 'a run with seed 1, not 2'],
	["'/data/batchSize/a.png' or /data/batchSize.png", "'/data/batchSize/a.png' or /data/batchSize.png"],
	['cacheBytes must be a number, got NaN.', 'cacheBytes must be a number, got NaN.'],
];

for (const [message, expected] of messages) {
	test(`of train: ${message}`, (t) => {
		t.is(inOptionNames(message, ofTrain), expected);
	});
}

test('only the options that the command has', (t) => {
	t.is(
		inOptionNames('Use a batchSize of at most 4.', [new Option('--crops <number>')]),
		'Use a batchSize of at most 4.',
	);
});

/** Their batches are their own. */
const fixedBatches = ['experiment', 'selftest'];

for (const command of allCommands) {
	test(`out of memory, ${command.name()} advises what it has an option for`, (t) => {
		const {options} = command;
		const has = (long: string): boolean => options.some((option) => option.long === long);
		const error = new AlexNetError('ALEXNET_MEMORY', `Out of memory on cpu:0. ${smallerBatch}`);
		const [words, fixed] = [describeError(error, options), fixedBatches.includes(command.name())];
		t.is(words.includes('Try a smaller --batch-size. ('), has('--batch-size'), words);
		t.is(words.includes('Close what else needs memory'), !has('--batch-size'), words);
		t.is(has('--batch-size'), has('--device') && !fixed);
	});
}
