import {writeFile} from 'node:fs/promises';
import {basename, dirname, join, resolve} from 'node:path';
import {checked, filePath, listOf, where} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import {makeFolder, reasonOf, replaceFile} from '../base/files.ts';
import {packageVersion} from '../base/package.ts';
import {runFiles} from '../run/run-files.ts';
import {pageOf} from './page.ts';
import {RunReader} from './read-run.ts';

const runPaths = where(listOf(filePath), ({length}) => length > 0, 'at least one run folder');

/**
 * Writes a report of runs, one HTML file that opens without a network: loss, errors, learning rate and speed over time,
 * conv1's kernels at several steps, how the classes are told, settings, hardware and versions. Several runs lie side by
 * side. A run may still be under way.
 *
 * @param runs run folders
 * @param path where to write. Default: `report.html` in the folder of a single run, in the working folder for several.
 * @returns where it is
 * @throws ALEXNET_RUN where a folder holds no run, or the file cannot be written.
 */
export async function writeReport(runs: readonly string[], path?: string): Promise<string> {
	const [first = '', ...others] = checked('runs', runPaths, runs);
	const file = checked('path', filePath, path ?? (others.length > 0 ? runFiles.report : join(first, runFiles.report)));
	const names = namesOf(runs);
	const read = [];
	for (const [index, run] of runs.entries()) {
		read.push({...(await (await RunReader.open(run)).read()), name: names[index] ?? ''});
	}
	const {html} = await pageOf({version: packageVersion, madeAt: new Date().toISOString(), runs: read});
	try {
		await makeFolder(dirname(file));
		await replaceFile(file, (temporary) => writeFile(temporary, html));
	} catch (error) {
		throw new AlexNetError('ALEXNET_RUN', `The report cannot be written to ${file}: ${reasonOf(error)}.`, {
			cause: error,
		});
	}
	return file;
}

/** Names of the folders, or their paths where folders of one name lie in several. */
function namesOf(runs: readonly string[]): readonly string[] {
	const names = runs.map((run) => basename(resolve(run)));
	return new Set(names).size === names.length ? names : runs;
}
