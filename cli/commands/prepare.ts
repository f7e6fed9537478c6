import type {Command} from 'commander';
import {filePath, flag, option} from '../../lib/base/check.ts';
import {prepareOptions} from '../../lib/data/prepare/prepare.ts';
import {preparePictures, type PackedAs, type PreparedReport} from '../../lib/index.ts';
import {Interruption} from '../exit-codes.ts';
import {count, duration, rate} from '../format.ts';
import {Interruptible} from '../interrupt.ts';
import {outliveOutput, Output} from '../output.ts';
import {addOptions} from '../parse.ts';
import {UnreadableNotes} from '../unreadable.ts';

interface PrepareCommandOptions {
	as: PackedAs;
	quality: number;
	imageSize: number;
	labels?: string;
	ilsvrc?: boolean;
	json?: boolean;
}

const checks = {
	...prepareOptions.checks,
	labels: option(
		filePath,
		'a file with the class of each picture of a flat folder: lines "name,class", or a number a line in order of names',
	),
	ilsvrc: option(flag, 'the paths are train.tar, val.tar and devkit.tar.gz of ILSVRC-2012'),
	json: option(flag, 'print the result as JSON'),
};

export function addPrepare(program: Command): void {
	const command = program
		.command('prepare')
		.summary('pack pictures into large files, from which training reads faster')
		.description(
			'Decode pictures once and pack them into large files with checksums. `alexnet train`, `evaluate` and ' +
				'ImageFolder.open take the folder <out> in the place of the pictures, with the same results bit for bit. ' +
				'A picture takes 196,608 bytes at a side of 256 (252 GB for ImageNet), as JPEG about a tenth.\n' +
				'Stopped with Ctrl-C or killed, it goes on when it is started again.',
		)
		.usage('[options] <source...> <out>')
		.argument(
			'<paths...>',
			'a folder of pictures as for train, a flat folder (--labels), tar archives (class folders, or key.jpg beside ' +
				'key.cls), or the archives of --ilsvrc; and last the folder to make',
		);
	addOptions(command, checks, '--as <kind>', '--quality <number>', '--image-size <number>', '--labels <file>');
	addOptions(command, checks, '--ilsvrc', '--json');
	command.action(async (paths: readonly string[], options: PrepareCommandOptions) => {
		const [sources, out] = [paths.slice(0, -1), paths.at(-1) ?? ''];
		if (sources.length === 0) command.error('error: missing the folder to make: alexnet prepare <source> <out>');
		outliveOutput();
		const output = new Output(options);
		using interruptible = new Interruptible(() =>
			output.note('Ending after the pictures in flight. Press Ctrl-C again to end at once.'),
		);
		await prepare(sources, out, options, output, interruptible.signal);
	});
}

async function prepare(
	sources: readonly string[],
	out: string,
	{as, quality, imageSize, labels, ilsvrc}: PrepareCommandOptions,
	output: Output,
	signal: AbortSignal,
): Promise<void> {
	const display = new PrepareDisplay(output);
	const onProgress = display.show.bind(display);
	let report: PreparedReport;
	try {
		report = await preparePictures(sources, out, {as, quality, imageSize, labels, ilsvrc, signal, onProgress});
	} catch (error) {
		if (!(error instanceof Interruption)) throw error;
		throw new Interruption(error.signal, 'Start the same command again: it goes on where it stopped.');
	} finally {
		output.clear();
	}
	for (const remark of report.remarks) output.note(remark);
	const {pictures, unreadable, suspect} = report;
	new UnreadableNotes(output, [report]).tell();
	output.json({out, as, pictures, unreadable: unreadable.size, suspect: suspect.size});
	if (!output.isJson) output.result(`${out}: ${count(pictures, 'picture')}. Train on them with: alexnet train ${out}`);
}

/** How far it is, how fast, and how long it takes yet. */
class PrepareDisplay {
	readonly #output: Output;
	#first: {done: number; at: number} | undefined;

	constructor(output: Output) {
		this.#output = output;
	}

	show(done: number, total: number): void {
		const now = performance.now();
		this.#first ??= {done, at: now};
		const perSecond = ((done - this.#first.done) / (now - this.#first.at)) * 1000;
		const left = (total - done) / perSecond;
		const details = Number.isFinite(left) ? `${rate(perSecond)} pictures/s  ${duration(left)} left` : '';
		this.#output.progress('preparing', done, total, details);
	}
}
