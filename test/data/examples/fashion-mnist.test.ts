// Fashion-MNIST from files of our own: which pictures are taken, and that they are those of the files.
import {mkdtemp, readdir, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import {examplePictures, ImageFolder} from '../../../lib/index.ts';
import {idxFile, madeUpFashion, writeFashion} from '../../helpers/idx.ts';
import {temporaryFolder, writeFiles} from '../../helpers/pictures.ts';

const [side, classes] = [28, 10];
const files = madeUpFashion(Date.now());
let source: string;

test.before(async () => {
	source = await mkdtemp(join(tmpdir(), 'alexnet-fashion-'));
	await writeFashion(source, files);
});
test.after.always(() => rm(source, {recursive: true, force: true}));

test.serial('the first pictures of each class are laid out, as evenly as can be', async (t) => {
	const cacheFolder = await temporaryFolder(t);
	const made = await examplePictures('fashion-mnist', {source, cacheFolder, pictures: 64});
	t.deepEqual(made, {
		folder: join(cacheFolder, 'fashion-mnist-64'),
		...{train: 64, validation: 11, classes, largestClass: 2 / 11},
	});
	const {labels} = await ImageFolder.open(made.folder);
	t.true(labels.includes('Ankle boot'));
	for (const [part, {labels: told}, total] of [
		['train', files.train, 64],
		['val', files.test, 11],
	] as const) {
		for (const [name, label] of [
			['T-shirt', 0],
			['Sandal', 5],
			['Ankle boot', 9],
		] as const) {
			const own = [...told.keys()].filter((index) => told[index] === label);
			const share = Math.floor(total / classes) + (label < total % classes ? 1 : 0);
			const expected = own.slice(0, share).map((index) => `${String(index).padStart(5, '0')}.png`);
			t.deepEqual((await readdir(join(made.folder, part, name))).sort(), expected);
			const {data, info} = await sharp(join(made.folder, part, name, expected[0]!))
				.raw()
				.toBuffer({resolveWithObject: true});
			t.deepEqual([info.width, info.height], [side, side]);
			t.is((data[info.channels * 2]! << 8) + data[info.channels * 3]!, own[0]!, 'the pixels are its own');
		}
	}
});

test.serial('stopped, it leaves nothing half made; a label that no class has is refused', async (t) => {
	const cacheFolder = await temporaryFolder(t);
	const controller = new AbortController();
	const reason = new Error('enough');
	const given = {source, cacheFolder, pictures: 200};
	const stopped = examplePictures('fashion-mnist', {
		...{...given, signal: controller.signal},
		onProgress: (done) => {
			if (done === 20) controller.abort(reason);
		},
	});
	t.is(await t.throwsAsync(stopped), reason);
	t.deepEqual(await readdir(cacheFolder), []);
	const labels = files.test.labels.with(7, 10);
	await writeFiles(source, {'t10k-labels-idx1-ubyte.gz': idxFile([10_000], labels)});
	const refusal = {code: 'ALEXNET_FOLDER', message: /label 10 at 7/};
	await t.throwsAsync(examplePictures('fashion-mnist', given), refusal);
	for (const pictures of [9, 60_001]) {
		const error = {code: 'ALEXNET_ARGUMENT', message: /at least 10 and at most 60000/};
		await t.throwsAsync(examplePictures('fashion-mnist', {...given, pictures}), error);
	}
	await t.throwsAsync(examplePictures('emoji', {pictures: 5}), {code: 'ALEXNET_ARGUMENT'});
	await t.throwsAsync(examplePictures('mnist' as 'emoji'), {code: 'ALEXNET_ARGUMENT', message: /fashion-mnist/});
	t.deepEqual(await readdir(cacheFolder), []);
});
