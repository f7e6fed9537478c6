// Nets whose pictures are of another size than AlexNet's, from the command line.
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {AlexNet} from '../../lib/index.ts';
import {alexnet, writePictures} from '../helpers/command.ts';
import {tinyNet} from '../helpers/networks.ts';
import {differences} from '../helpers/small-runs.ts';

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

const run = (out: string, ...more: string[]): string[] => {
	return ['train', at('pictures'), '--batch-size', '5', '--out', at(out), ...more];
};

test.serial('train --architecture trains the net in a file, and keeps it in the run', async (t) => {
	const net = at('net.json');
	await writeFile(net, JSON.stringify(tinyNet(2)));
	const whole = await alexnet(run('whole', '--architecture', net, '--epochs', '2'));
	t.is(whole.code, 0, whole.stderr);
	t.regex(whole.stderr, /^Recipe 'small', .*: 2 epochs in batches of 5, learning rate 0\.\d+, patience \d+\.$/m);
	t.notRegex(whole.stderr, /init/);
	const {settings} = JSON.parse(await readFile(at('whole', 'config.json'), 'utf8')) as {settings: object};
	t.like(settings, {architecture: tinyNet(2)});
	t.false('preset' in settings || 'init' in settings, 'the file says what the net is like');
	await using model = await AlexNet.load(at('whole', 'last.safetensors'));
	t.deepEqual(model.architecture, tinyNet(2));

	t.is((await alexnet(run('halves', '--architecture', net, '--epochs', '1'))).code, 0);
	await rm(net);
	const resumed = await alexnet(['train', at('pictures'), '--resume', at('halves'), '--epochs', '2']);
	t.is(resumed.code, 0, resumed.stderr);
	t.deepEqual(await differences(at('halves'), at('whole')), []);
});

test.serial('a run that begins with such a net takes pictures of its size, also where it is resumed', async (t) => {
	const from = await alexnet(run('tuned', '--from', at('tiny.safetensors'), '--epochs', '1'));
	t.is(from.code, 0, from.stderr);
	const resumed = await alexnet(['train', at('pictures'), '--resume', at('tuned'), '--epochs', '2']);
	t.is(resumed.code, 0, resumed.stderr);
});

test.serial('a net with outputs for other classes than the folder has is refused, and leaves no folder', async (t) => {
	const net = at('three.json');
	await writeFile(net, JSON.stringify(tinyNet(3)));
	const {code, stderr} = await alexnet(run('three', '--architecture', net));
	t.is(code, 1);
	t.regex(stderr, /an output for each of the 2 labels.*\(ALEXNET_SHAPE\)\n$/);
	await t.throwsAsync(readFile(at('three', 'config.json')), {code: 'ENOENT'});
});
