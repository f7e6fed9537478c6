// Nets whose pictures are of another size than AlexNet's, from the command line.
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {AlexNet} from '../../lib/index.ts';
import {alexnet, writePictures} from '../helpers/command.ts';
import {tinyNet} from '../helpers/networks.ts';

let folder = '';
const at = (...path: string[]): string => join(folder, ...path);

test.before(async () => {
	folder = await mkdtemp(join(tmpdir(), 'alexnet-'));
	await writePictures(at('pictures'), {red: [200, 40, 40], blue: [40, 40, 200]}, 6);
	await using model = await AlexNet.create({architecture: tinyNet(2), labels: ['blue', 'red'], batchSize: 4});
	await model.save(at('tiny.safetensors'));
});

test.after.always(async () => rm(folder, {recursive: true, force: true}));

for (const args of [[], ['--split', 'all'], ['--split', 'train', '--crops', '10']]) {
	test.serial(`evaluate takes pictures of the net's size (${args.join(' ')})`, async (t) => {
		const {code, stdout, stderr} = await alexnet([
			'evaluate',
			at('tiny.safetensors'),
			at('pictures'),
			...args,
			'--json',
		]);
		t.is(code, 0, stderr);
		t.true((JSON.parse(stdout) as {pictures: number}).pictures > 0);
	});
}

test.serial('classify, too', async (t) => {
	const {code, stdout, stderr} = await alexnet(['classify', at('tiny.safetensors'), at('pictures', 'red', '0.png')]);
	t.is(code, 0, stderr);
	t.regex(stdout, /red/);
});
