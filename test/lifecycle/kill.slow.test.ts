// A run that is killed and resumed ends with the bits of one that was not. All fifty kills: npm run test:full.
import {join} from 'node:path';
import test from 'ava';
import {killAndResume} from '../helpers/kills.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {differences, startSmallRun, writeSmallPictures} from '../helpers/small-runs.ts';

test('a run that is killed at four moments and resumed ends as one that was left alone', async (t) => {
	await killAndResume(t, await temporaryFolder(t), 4, 'four kills');
});

test('two runs of 20 epochs that are left alone are the same', async (t) => {
	const folder = await temporaryFolder(t);
	const pictures = join(folder, 'pictures');
	await writeSmallPictures(pictures);
	for (const name of ['one', 'two']) {
		const {code, stderr} = await startSmallRun(pictures, join(folder, name), {epochs: 20, batchSize: 8}).ended;
		t.is(code, 0, stderr);
	}
	t.deepEqual(await differences(join(folder, 'one'), join(folder, 'two')), []);
});
