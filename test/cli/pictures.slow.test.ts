// `alexnet pictures`: the list, the folder, and Ctrl-C.
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {ImageFolder} from '../../lib/index.ts';
import {alexnet} from '../helpers/command.ts';
import {madeUpFashion, writeFashion} from '../helpers/idx.ts';
import {temporaryFolder} from '../helpers/pictures.ts';

test('without a name it lists what there is; with one it prints the folder alone', async (t) => {
	const listed = await alexnet(['pictures']);
	t.is(listed.code, 0, listed.stderr);
	for (const part of [/^emoji$/m, /^fashion-mnist$/m, /^photographs$/m, /licence +MIT/, /CC-BY-SA-4\.0/, /apt-get/]) {
		t.regex(listed.stdout, part);
	}
	const root = await temporaryFolder(t);
	const [source, cache] = [join(root, 'source'), join(root, 'cache')];
	await writeFashion(source, madeUpFashion(Date.now()));
	const args = ['pictures', 'fashion-mnist', '--source', source, '--cache-folder', cache, '--pictures'];

	const when = {printed: 'laying out', send: 'SIGINT', to: 'stderr'} as const;
	const stopped = await alexnet([...args, '3000'], {when});
	t.is(stopped.code, 130, stopped.stderr);
	t.regex(stopped.stderr, /Start the same command again/);
	t.is(stopped.stdout, '');
	t.deepEqual(await readdir(cache), [], 'nothing half made is left');

	const made = await alexnet([...args, '30']);
	t.is(made.code, 0, made.stderr);
	const folder = join(cache, 'fashion-mnist-30');
	t.is(made.stdout, `${folder}\n`);
	t.regex(made.stderr, /30 pictures to train on and 10 held out, in 10 classes.*MIT/);
	const {train, validation} = await ImageFolder.open(folder);
	t.deepEqual([train.size, validation.size], [30, 10]);
	const json = await alexnet([...args, '30', '--json']);
	const told = {name: 'fashion-mnist', folder, train: 30, validation: 10, classes: 10, largestClass: 0.1};
	t.deepEqual(JSON.parse(json.stdout), told);
});

test('what there cannot be is refused', async (t) => {
	const cacheFolder = await temporaryFolder(t);
	const unknown = await alexnet(['pictures', 'imagenet']);
	t.is(unknown.code, 2);
	t.regex(unknown.stderr, /emoji, fashion-mnist, photographs/);
	const few = await alexnet(['pictures', 'photographs', '--pictures', '3', '--cache-folder', cacheFolder]);
	t.is(few.code, 1);
	t.regex(few.stderr, /--pictures must be at least 25 .*ALEXNET_ARGUMENT/);
});
