import type {Command} from 'commander';
import {option} from '../../lib/base/check.ts';
import {checkFolderOptions} from '../../lib/data/check-folder.ts';
import {findingKinds, greatestRatio, smallestSide} from '../../lib/data/finding.ts';
import {checkFolder, type Finding, type FindingKind, type FolderReport} from '../../lib/index.ts';
import {exitCodes} from '../exit-codes.ts';
import {count, duration, rate} from '../format.ts';
import {Interruptible} from '../interrupt.ts';
import {Output} from '../output.ts';
import {addOptions, commonChecks} from '../parse.ts';

interface CheckCommandOptions {
	validationFraction: number;
	seed: number;
	json?: boolean;
}

const {validationFraction} = checkFolderOptions.checks;

const checks = {
	...{...checkFolderOptions.checks, json: commonChecks.json},
	validationFraction: option(
		validationFraction,
		`as for train: ${validationFraction.help}`,
		validationFraction.default,
	),
};

const titles: Readonly<Record<FindingKind, string>> = {
	emptyClass: 'Class folders without pictures (training stops)',
	unknownClass: 'Held-out classes that are not trained on (training stops)',
	unreadable: 'Pictures that cannot be read (left out of training)',
	heldOutDuplicate: 'Same picture trained on and held out (accuracy will look better than it is)',
	classDuplicate: 'Same picture in several classes',
	suspect: 'Damaged pictures (used, but they may show something else)',
	duplicate: 'Same picture more than once',
	smallClass: 'Classes with few pictures',
	similarNames: 'Names that people or other systems take for one',
	tiny: `Tiny pictures (shorter side below ${smallestSide} pixels)`,
	extremeShape: `Extreme shapes (more than ${greatestRatio} times as long as wide: the centre crop shows little of them)`,
	leftOut: 'Files that are not read',
};

/** How many findings of a kind are named, and how many paths of one. */
const [mostNamed, mostPaths] = [5, 4];

export function addCheck(program: Command): void {
	const command = program
		.command('check')
		.summary('look for what is odd about a folder of pictures')
		.description(
			'Read each picture of a folder once, and list all that is odd before training takes a night over it: what cannot ' +
				'be read or is damaged, the same picture twice, tiny pictures and extreme shapes, classes with few pictures, ' +
				`names that look alike, files that are left out. Ends with code ${exitCodes.check} where something is.`,
		)
		.argument('<folder>', 'the pictures, laid out as for train');
	addOptions(command, checks, '--validation-fraction <share>', '--seed <number>', '--json');
	command.action(async (folder: string, options: CheckCommandOptions) => {
		const output = new Output(options);
		using interruptible = new Interruptible(() => output.note('Ending.'));
		await check(folder, options, output, interruptible.signal);
	});
}

async function check(
	folder: string,
	{validationFraction, seed}: CheckCommandOptions,
	output: Output,
	signal: AbortSignal,
): Promise<void> {
	const begun = performance.now();
	const onProgress = (done: number, total: number): void => {
		const perSecond = (done / (performance.now() - begun)) * 1000;
		const left = `${rate(perSecond)} pictures/s  ${duration((total - done) / perSecond)} left`;
		output.progress('checking', done, total, done < total ? left : '');
	};
	const report = await checkFolder(folder, {validationFraction, seed, signal, onProgress});
	output.clear();
	if (report.findings.length > 0) process.exitCode = exitCodes.check;
	output.json({folder, ...report});
	if (output.isJson) return;
	for (const remark of report.remarks) output.note(remark);
	output.result(describe(report));
}

function describe({classes, train, heldOut, findings}: FolderReport): string {
	const pictures = `${count(train, 'picture')} to train on and ${heldOut.toLocaleString('en-US')} held out`;
	const groups = findingKinds.map((kind) => findings.filter((finding) => finding.kind === kind));
	const found = findings.length === 0 ? 'nothing odd' : count(findings.length, 'finding');
	return [
		...groups.flatMap((group) => (group[0] ? [describeGroup(titles[group[0].kind], group)] : [])),
		`${pictures}, in ${count(classes, 'class', 'classes')}: ${found}.`,
	].join('\n');
}

function describeGroup(title: string, group: readonly Finding[]): string {
	const lines = group.slice(0, mostNamed).map(({paths, reason}) => {
		const named = [
			...paths.slice(0, mostPaths),
			...(paths.length > mostPaths ? [`${paths.length - mostPaths} more`] : []),
		];
		return printable(paths.length === 0 ? reason : `${named.join(' = ')}: ${reason}`);
	});
	const rest = group.length - mostNamed;
	if (rest > 0) lines.push(`and ${count(rest, 'other')} (--json names all)`);
	return [`${title}: ${group.length.toLocaleString('en-US')}`, ...lines.map((line) => `  ${line}`), ''].join('\n');
}

/** A name may have characters that a terminal acts on, or shows nothing of. */
function printable(text: string): string {
	return text.replace(/[\p{Cc}\p{Cf}]/gu, (letter) => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`);
}
