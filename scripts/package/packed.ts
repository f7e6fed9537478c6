// The package as npm would publish it, with the checkout's own addon in the place of the one for every GPU.
import {execFileSync} from 'node:child_process';
import {cpSync, mkdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {root} from '../../test/helpers/sources.ts';
import {placeAddon, writeNotices} from './addon.ts';

/** Where a package keeps its addon for this system. */
export const prebuilt = join('prebuilds', `${process.platform}-${process.arch}`);

const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-progress'];

/** Runs npm, without install scripts: what it prints. */
export function npm(cwd: string, ...parameters: string[]): string {
	return execFileSync('npm', [...parameters, ...quiet], {cwd, encoding: 'utf8', stdio: 'pipe'});
}

/** Compiles dist/, packs the package into a folder, and tells the packed file's path. */
export function packInto(folder: string): string {
	const source = join(folder, 'source');
	const {files} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {files: string[]};
	const made = ['dist', 'prebuilds'];
	for (const name of ['package.json', 'README.md', 'LICENSE', ...files.filter((file) => !made.includes(file))]) {
		cpSync(join(root, name), join(source, name), {recursive: true});
	}
	const tsc = join(root, 'node_modules/typescript/bin/tsc');
	const dist = ['--project', 'tsconfig.build.json', '--outDir', join(source, 'dist')];
	execFileSync(process.execPath, [tsc, ...dist], {cwd: root});
	mkdirSync(join(source, prebuilt), {recursive: true});
	const addon = join(root, 'build/Release/alexnet.node');
	placeAddon(addon, join(source, prebuilt), 'alexnet.glibc.node');
	writeNotices(addon, join(source, prebuilt));
	const [packed] = JSON.parse(npm(source, 'pack', '--json', '--pack-destination', folder)) as [{filename: string}];
	return join(folder, packed.filename);
}
