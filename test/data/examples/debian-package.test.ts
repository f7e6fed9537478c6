// Packages of Debian, got by programs that stand in for apt-get and dpkg.
import {chmod, readdir, readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {debianFiles} from '../../../lib/data/examples/debian-package.ts';
import {temporaryFolder, writeFiles} from '../../helpers/pictures.ts';

const wanted = {name: 'a-package-of-no-one', files: ['usr/share/one.bin', 'usr/share/deep/two.bin']};

test.serial('a package is downloaded once, without an installation', async (t) => {
	const root = await temporaryFolder(t);
	const [programs, cacheFolder] = [join(root, 'programs'), join(root, 'cache')];
	const path = process.env.PATH ?? '';
	t.teardown(() => (process.env.PATH = path));
	process.env.PATH = `${programs}:${path}`;
	const program = async (name: string, script: string): Promise<void> => {
		await writeFiles(programs, {[name]: `#!/bin/sh\n${script}\n`});
		await chmod(join(programs, name), 0o755);
	};
	const request = {source: undefined, cacheFolder, signal: undefined};
	const refused = async (message: RegExp): Promise<void> => {
		await t.throwsAsync(debianFiles(wanted, request), {code: 'ALEXNET_FOLDER', message});
		t.deepEqual(await readdir(join(cacheFolder, 'packages')), [], 'nothing half made is left');
	};
	await program('apt-get', 'echo "E: no network" >&2; exit 100');
	await refused(/could not be downloaded.*E: no network.*Check the network.*apt-get install a-package-of-no-one/s);

	await program('apt-get', 'for last; do :; done; echo "$last" > "${last}_1.0_all.deb"');
	await program('dpkg', 'mkdir -p "$3/usr/share/other"');
	await refused(/other files than the ones known here/);

	const folders = 'mkdir -p "$3/usr/share/deep" "$3/usr/share/doc/a-package-of-no-one"';
	await program(
		'dpkg',
		`${folders}; cd "$3/usr/share";
cp "$OLDPWD/$2" one.bin; echo two > deep/two.bin; echo free > doc/a-package-of-no-one/copyright`,
	);
	const {files, copyright} = await debianFiles(wanted, request);
	t.deepEqual(await Promise.all(files.map((file) => readFile(file, 'utf8'))), [`${wanted.name}\n`, 'two\n']);
	t.is(await readFile(copyright ?? '', 'utf8'), 'free\n');
	await rm(programs, {recursive: true});
	t.deepEqual((await debianFiles(wanted, request)).files, files, 'it is kept');
});

test('files that the user names are taken from there', async (t) => {
	const source = await temporaryFolder(t);
	const request = {source, cacheFolder: join(source, 'cache'), signal: undefined};
	await writeFiles(source, {'one.bin': '1'});
	const error = {code: 'ALEXNET_FOLDER', message: /has no two\.bin.*one\.bin, two\.bin/};
	await t.throwsAsync(debianFiles(wanted, request), error);
	await writeFiles(source, {'two.bin': '2'});
	const {files, copyright} = await debianFiles(wanted, request);
	t.deepEqual([...files, copyright], [join(source, 'one.bin'), join(source, 'two.bin'), undefined]);
});
