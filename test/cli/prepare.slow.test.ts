// Pictures prepared, trained on, evaluated: as a user does it.
import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {alexnet, writeCorruptPicture, writePictures} from '../helpers/command.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {differences} from '../helpers/small-runs.ts';

test('train and evaluate take a prepared folder in the place of the pictures, with the same results', async (t) => {
	const folder = await temporaryFolder(t);
	const [pictures, prepared] = [join(folder, 'pictures'), join(folder, 'prepared')];
	await writePictures(pictures, {blue: [20, 30, 200], red: [200, 30, 20]}, 12);
	await writeCorruptPicture(join(pictures, 'red', 'broken.png'));
	const made = await alexnet(['prepare', pictures, prepared]);
	t.is(made.code, 0, made.stderr);
	t.regex(made.stdout, /25 pictures. Train on them with: alexnet train /);
	t.regex(made.stderr, /red.broken\.png: it is not a JPEG/);
	t.regex(made.stderr, /preparing 0\/25/);
	const again = await alexnet(['prepare', pictures, prepared, '--json']);
	t.deepEqual(JSON.parse(again.stdout), {out: prepared, as: 'raw', pictures: 25, unreadable: 1, suspect: 0});

	const net = ['--batch-size', '4', '--epochs', '1', '--device', 'cpu', '--recipe', 'small'];
	const runs = [pictures, prepared].map((source) => [source, `${source}-run`] as const);
	for (const [source, run] of runs) {
		const trained = await alexnet(['train', source, '--out', run, ...net]);
		t.is(trained.code, 0, trained.stderr);
		t.regex(trained.stderr, /1 picture could not be read/);
	}
	t.deepEqual(await differences(runs[0]![1], runs[1]![1]), []);
	await rm(join(pictures), {recursive: true});
	const results = await Promise.all(
		[[], ['--split', 'all']].map(async (split) => {
			const {stdout, code, stderr} = await alexnet([
				'evaluate',
				`${prepared}-run/last.safetensors`,
				prepared,
				...split,
				'--json',
			]);
			t.is(code, 0, stderr);
			return JSON.parse(stdout) as {pictures: number; split: string; unreadable: number; trainedOn: number};
		}),
	);
	t.is(results[0]!.split, 'validation');
	t.is(results[1]!.pictures, 24);
	t.is(results[1]!.unreadable, 1);
});

test('Ctrl-C ends after the pictures in flight, and the same command goes on', async (t) => {
	const folder = await temporaryFolder(t);
	const [pictures, prepared] = [join(folder, 'pictures'), join(folder, 'prepared')];
	await writePictures(pictures, {blue: [20, 30, 200], red: [200, 30, 20]}, 300);
	const when = {printed: 'preparing 0/', send: 'SIGINT', to: 'stderr'} as const;
	const ended = await alexnet(['prepare', pictures, prepared, '--json'], {when});
	t.is(ended.code, 130, ended.stderr);
	t.regex(ended.stderr, /Interrupted by SIGINT. Start the same command again/);
	const refused = await alexnet(['train', prepared, '--out', join(folder, 'run')]);
	t.regex(refused.stderr, /has not come to its end.*ALEXNET_FOLDER/s);
	const finished = await alexnet(['prepare', pictures, prepared]);
	t.is(finished.code, 0, finished.stderr);
});
