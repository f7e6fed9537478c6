import {Argument, type Command} from 'commander';
import {cacheFolder as userCacheFolder} from '../../lib/base/cache-folder.ts';
import {option} from '../../lib/base/check.ts';
import {exampleName, examplePicturesOptions, examples} from '../../lib/data/examples/index.ts';
import {examplePictures, type ExampleName, type ExamplePictures} from '../../lib/index.ts';
import {Interruption} from '../exit-codes.ts';
import {count, percent} from '../format.ts';
import {Interruptible} from '../interrupt.ts';
import {Output} from '../output.ts';
import {addOptions, commonChecks} from '../parse.ts';

interface PicturesCommandOptions {
	pictures?: number;
	source?: string;
	cacheFolder: string;
	json?: boolean;
}

const {checks: known} = examplePicturesOptions;
const checks = {
	...{...known, json: commonChecks.json},
	cacheFolder: option(known.cacheFolder, 'where pictures and downloads are kept', userCacheFolder()),
};

export function addPictures(program: Command): void {
	const command = program
		.command('pictures')
		.summary('fetch pictures to try a net on')
		.description(
			'Fetch example pictures once, keep them, and print their folder, laid out as for train. Without a name: list ' +
				'those that there are.',
		)
		.addArgument(new Argument('[name]').choices(exampleName.known?.map(String) ?? []));
	addOptions(command, checks, '--pictures <number>', '--source <folder>', '--cache-folder <folder>', '--json');
	command.action(async (name: ExampleName | undefined, options: PicturesCommandOptions) => {
		const output = new Output(options);
		if (name === undefined) {
			list(output);
			return;
		}
		using interruptible = new Interruptible(() => output.note('Ending; nothing half made stays.'));
		const made = await fetchPictures(name, options, output, interruptible.signal);
		output.clear();
		output.json({name, ...made});
		const {folder, train, validation, classes, largestClass} = made;
		output.note(
			`${count(train, 'picture')} to train on and ${validation.toLocaleString('en-US')} held out, in ` +
				`${count(classes, 'class', 'classes')}, the largest ${percent(largestClass)}. Licence: ${examples[name].licence}.`,
		);
		if (!output.isJson) output.result(folder);
	});
}

async function fetchPictures(
	name: ExampleName,
	{pictures, source, cacheFolder}: PicturesCommandOptions,
	output: Output,
	signal: AbortSignal,
): Promise<ExamplePictures> {
	const onProgress = (done: number, total: number): void => output.progress('laying out', done, total);
	try {
		return await examplePictures(name, {pictures, source, cacheFolder, signal, onProgress});
	} catch (error) {
		if (!(error instanceof Interruption)) throw error;
		throw new Interruption(error.signal, 'Start the same command again: downloads that are whole are kept.');
	} finally {
		output.clear();
	}
}

function list(output: Output): void {
	const all = Object.entries(examples).map(([name, {about, licence, needs, choice}]) => {
		return {name, about, licence, needs, ...(choice && {pictures: choice})};
	});
	output.json(all);
	if (output.isJson) return;
	const described = all.map(({name, about, licence, needs, pictures}) => {
		const some = pictures
			? [`pictures  ${pictures.default} to train on, or ${pictures.least} to ${pictures.most} (--pictures)`]
			: [];
		return [name, ...[about, `download  ${needs}`, ...some, `licence   ${licence}`].map((line) => `  ${line}`)].join(
			'\n',
		);
	});
	output.result([...described, 'Fetch them: alexnet pictures <name>'].join('\n'));
}
