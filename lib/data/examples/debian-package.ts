// Files of a Debian package: where it is installed, where the user has put them, or from a download of our own, which
// needs neither root nor an installation.
import {constants} from 'node:fs';
import {access, mkdir, readdir} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {AlexNetError, messageOf} from '../../base/errors.ts';
import {CommandError, runCommand} from '../../base/run-command.ts';
import type {ExampleRequest} from './example.ts';
import {makeWhole} from './whole-folder.ts';

export interface DebianPackage {
	readonly name: string;
	/** What is needed of it: paths from its root. */
	readonly files: readonly string[];
}

/**
 * Where the files are, in the order of `files`; last the package's copyright file, where there is one.
 *
 * @throws ALEXNET_FOLDER where the source lacks one, or the package cannot be downloaded; the message says what to do.
 */
export async function debianFiles(
	wanted: DebianPackage,
	request: Pick<ExampleRequest, 'source' | 'cacheFolder' | 'signal'>,
): Promise<{files: readonly string[]; copyright: string | undefined}> {
	const {source, cacheFolder} = request;
	if (source !== undefined) {
		const files = wanted.files.map((file) => join(source, basename(file)));
		const missing = await firstMissing(files);
		if (missing === undefined) return {files, copyright: undefined};
		const names = wanted.files.map((file) => basename(file)).join(', ');
		throw new AlexNetError(
			'ALEXNET_FOLDER',
			`'${source}' has no ${basename(missing)}. Expected these files of ${wanted.name}: ${names}.`,
		);
	}
	const unpacked = join(cacheFolder, 'packages', wanted.name);
	const root = (await holds('/', wanted)) ? '/' : unpacked;
	if (root === unpacked) await makeWhole(unpacked, () => holds(unpacked, wanted), download(wanted, request));
	const copyright = join(root, 'usr/share/doc', wanted.name, 'copyright');
	return {
		files: wanted.files.map((file) => join(root, file)),
		copyright: (await firstMissing([copyright])) === undefined ? copyright : undefined,
	};
}

async function holds(root: string, {files}: DebianPackage): Promise<boolean> {
	return (await firstMissing(files.map((file) => join(root, file)))) === undefined;
}

async function firstMissing(paths: readonly string[]): Promise<string | undefined> {
	for (const path of paths) {
		const isThere = await access(path, constants.R_OK).then(
			() => true,
			() => false,
		);
		if (!isThere) return path;
	}
	return undefined;
}

/** Not minutes without a network. */
const patience = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=30'];

function download(wanted: DebianPackage, {signal}: Pick<ExampleRequest, 'signal'>) {
	return async (partial: string): Promise<string> => {
		const unpacked = join(partial, 'unpacked');
		await mkdir(unpacked);
		try {
			await runCommand('apt-get', [...patience, 'download', wanted.name], {cwd: partial, signal});
			const archive = (await readdir(partial)).find((name) => name.endsWith('.deb')) ?? '';
			await runCommand('dpkg', ['-x', archive, 'unpacked'], {cwd: partial, signal});
		} catch (error) {
			if (!(error instanceof CommandError)) throw error;
			throw notDownloaded(wanted, error);
		}
		if (await holds(unpacked, wanted)) return unpacked;
		const message = `The package ${wanted.name} that apt-get gives has other files than the ones known here. ${byHand(wanted)}`;
		throw new AlexNetError('ALEXNET_FOLDER', message);
	};
}

function notDownloaded(wanted: DebianPackage, error: CommandError): AlexNetError {
	const said = error.said
		.split('\n')
		.filter((line) => line.startsWith('E: '))
		.slice(0, 3);
	const what = [`Debian's package ${wanted.name} could not be downloaded: ${messageOf(error)}.`, ...said].join('\n');
	const advice = error.isMissing ? '' : 'Check the network, and that apt-get update has been run (by root). ';
	return new AlexNetError('ALEXNET_FOLDER', `${what}\n${advice}${byHand(wanted)}`, {cause: error});
}

function byHand({name, files}: DebianPackage): string {
	const names = files.length > 4 ? 'its pictures' : files.map((file) => basename(file)).join(', ');
	return `Install it (apt-get install ${name}), or name a folder that has ${names} as the source.`;
}
