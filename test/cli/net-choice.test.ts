// The net that `train` is told to have as a file: what is refused, and what a resumed run may say.
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {Command} from 'commander';
import test, {type ExecutionContext} from 'ava';
import {addTrain} from '../../cli/commands/train.ts';
import {withNetChoice, type NetChoice} from '../../cli/net-choice.ts';
import {resumedOptions} from '../../cli/run-config.ts';
import {alexnet} from '../../lib/index.ts';
import {tinyNet} from '../helpers/networks.ts';
import {temporaryFolder} from '../helpers/pictures.ts';

/** The train command after these arguments. */
function commandOf(...args: string[]): Command {
	const program = new Command();
	addTrain(program);
	const [command] = program.commands;
	command!.exitOverride().configureOutput({writeErr: () => undefined});
	command!.parseOptions(args);
	return command!;
}

async function write(t: ExecutionContext, content: string | object): Promise<string> {
	const path = join(await temporaryFolder(t), 'net.json');
	await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
	return path;
}

const without = (name: string): object => Object.fromEntries(Object.entries(tinyNet()).filter(([key]) => key !== name));
const layers = (change: object): object => {
	const net = tinyNet();
	return {...net, layers: net.layers.map((spec, place) => (place === 2 ? {...spec, ...change} : spec))};
};

for (const [content, expected] of [
	['{"imageSize": 32,', /Expected double-quoted property name in JSON|Unexpected end of JSON input/],
	['7', /It must be an object, got 7/],
	['['.repeat(2 ** 20), /JSON is nested deeper than 12 levels/],
	[without('crop'), /crop must be given, got undefined/],
	[{...tinyNet(), crop: 33}, /a net whose crop is no larger than its pictures/],
	[{...tinyNet(), columns: 3}, /columns must be one of 1, 2, got 3/],
	[layers({type: 'maxpool'}), /layers\[2\]\.type must be one of conv2d, .*got 'maxpool'/],
	[layers({stride: 0}), /layers\[2\]\.stride must be an integer of at least 1, got 0/],
	[layers({name: 'conv1'}), /layers must be layers with a name each, the last one linear/],
] as const) {
	test(`refused: ${expected.source}`, async (t) => {
		const path = await write(t, content);
		const {message} = t.throws(() => commandOf('--architecture', path), {code: 'commander.invalidArgument'});
		t.true(message.startsWith(`error: option '--architecture <file>' argument '${path}' is invalid. `), message);
		t.regex(message, expected);
		t.regex(message, /docs\/own-architectures\.md/);
	});
}

test('a file that is not there is refused', (t) => {
	t.throws(() => commandOf('--architecture', 'none.json'), {message: /'none\.json' is invalid\. .*no such file/});
});

test('the file’s net is an option of the run, without what would change a preset', async (t) => {
	const net = alexnet({classes: 3, preset: 'owt'});
	const command = commandOf('--architecture', await write(t, net));
	const chosen = withNetChoice(command, command.opts<NetChoice & {lrn?: boolean}>());
	t.deepEqual(chosen.architecture, net);
	for (const name of ['preset', 'init', 'activation', 'lrn', 'pooling', 'dropout', 'columns']) t.false(name in chosen);
});

test('options that describe another net are refused, before and after', async (t) => {
	const path = await write(t, tinyNet());
	for (const [args, message] of [
		[['--no-lrn'], /^--no-lrn describes a new net, but --architecture gives a whole one\. Leave one of them out\.$/],
		[['--preset', 'paper'], /^--preset describes a new net, but --architecture/],
		[['--from', 'a.safetensors'], /^--architecture describes a new net, but --from takes that of 'a\.safetensors'/],
	] as const) {
		for (const all of [
			['--architecture', path, ...args],
			[...args, '--architecture', path],
		]) {
			const command = commandOf(...all);
			t.throws(() => withNetChoice(command, command.opts<NetChoice>()), {code: 'ALEXNET_ARGUMENT', message});
		}
	}
});

test('a resumed run has the net that it was started with, and no other', async (t) => {
	const path = await write(t, tinyNet());
	const started = commandOf('--architecture', path);
	const settings = {...withNetChoice(started, started.opts<NetChoice>()), folder: 'pictures'};
	const saved = JSON.parse(JSON.stringify(settings)) as typeof settings;
	const resume = (config: object, ...args: string[]): NetChoice => {
		const command = commandOf(...args);
		return resumedOptions(command, command.opts<NetChoice>(), 'run', {settings: config, labels: []});
	};
	t.deepEqual(resume(saved).architecture, tinyNet());
	t.deepEqual(resume(saved, '--architecture', path).architecture, tinyNet());
	const other = await write(t, {...tinyNet(), crop: 26});
	t.throws(() => resume(saved, '--architecture', other), {
		code: 'ALEXNET_ARGUMENT',
		message: /^--architecture is \{"imageSize":32,"crop":26,/,
	});
	t.throws(() => resume({...saved, architecture: path}), {
		code: 'ALEXNET_RUN',
		message: /says that architecture was ".*net\.json", which it cannot have been/,
	});
});
