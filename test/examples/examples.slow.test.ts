// The examples run, as a program that has installed the package would run them, on a few small pictures.
import {once} from 'node:events';
import {cpSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import test from 'ava';
import {root} from '../helpers/sources.ts';
import {AlexNet} from '../../lib/index.ts';
import {writeCorruptPicture, writePictures} from '../helpers/command.ts';
import {writeSmallCheckpoint} from '../helpers/small-checkpoint.ts';
import {installInto, outputOf, start} from '../helpers/user-project.ts';

/** A user's project: the examples, pictures, and this checkout as the installed package, from its sources. */
const project = mkdtempSync(join(tmpdir(), 'alexnet-examples-'));
/** What train-a-folder.ts writes, for the server to read. */
const checkpoint = join(project, 'train-a-folder.ts.safetensors');
test.after.always(() => {
	rmSync(project, {recursive: true});
});

test.before(async () => {
	cpSync(join(root, 'examples'), project, {recursive: true});
	installInto(project);
	await writePictures(join(project, 'pictures'), {red: [200, 40, 40], blue: [40, 40, 200]}, 18);
});

const learned =
	/^epoch 1: loss \d\.\d+, of held-out pictures right \d+\.\d %\n(.*\n)*\S+\.png: (red|blue) with \d+\.\d %\n$/m;

for (const file of ['train-a-folder.mjs', 'train-a-folder.ts']) {
	test.serial(`${file} learns, saves and names a picture`, async (t) => {
		t.regex(await outputOf(project, file, 'pictures', `${file}.safetensors`, '1'), learned);
		await using model = await AlexNet.load(join(project, `${file}.safetensors`), {inferenceOnly: true});
		t.deepEqual(model.labels, ['blue', 'red']);
	});
}

test.serial('own-architecture.ts learns with four layers, and its file tells them', async (t) => {
	const output = await outputOf(project, 'own-architecture.ts', 'pictures', 'small-net.safetensors', '6');
	t.regex(output, /^small-net\.safetensors: 7 layers, held out 1\.000$/m);
});

test.serial(
	'classify-over-http.ts answers requests that come at once, refuses what is no picture, and ends',
	async (t) => {
		const server = start(project, 'classify-over-http.ts', checkpoint, '0');
		t.teardown(() => server.kill('SIGKILL'));
		let stderr = '';
		server.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
		const lines = createInterface({input: server.stdout});
		const [line] = (await Promise.race([once(lines, 'line'), once(server, 'close').then(() => [stderr])])) as [string];
		const address = /http:\S+/.exec(line)?.[0];
		if (address === undefined) return t.fail(line);

		const post = (path: string): Promise<Response> => fetch(address, {method: 'POST', body: readFileSync(path)});
		const picture = join(project, 'pictures/red/0.png');
		const responses = await Promise.all(Array.from({length: 6}, () => post(picture)));
		await using model = await AlexNet.load(checkpoint, {inferenceOnly: true});
		const expected = (await model.classify(picture)).map(({label}) => label);
		for (const response of responses) {
			t.is(response.status, 200);
			const classes = (await response.json()) as {label: string; probability: number}[];
			t.deepEqual(
				classes.map(({label}) => label),
				expected,
			);
			t.true(Math.abs(classes.reduce((sum, {probability}) => sum + probability, 0) - 1) < 1e-5);
		}

		await writeCorruptPicture(join(project, 'corrupt'));
		const refused = await post(join(project, 'corrupt'));
		t.is(refused.status, 415);
		t.is(((await refused.json()) as {code: string}).code, 'ALEXNET_PICTURE');
		t.is((await fetch(address)).status, 405);

		server.kill('SIGTERM');
		const [code] = (await once(server, 'close')) as [number | null];
		t.is(code, 0, stderr);
		t.is(stderr, '');
	},
);

test.serial('two-devices.ts computes the same on two devices as on one', async (t) => {
	const output = await outputOf(project, 'two-devices.ts');
	const losses = [...output.matchAll(/loss (\d+\.\d+) on one device, (\d+\.\d+) on cpu:0 and cpu:1/g)];
	t.is(losses.length, 2, output);
	for (const [, one, two] of losses) t.true(Math.abs(Number(one) - Number(two)) < 0.001, output);
});

test.serial('operations-by-hand.ts learns its classes', async (t) => {
	const output = await outputOf(project, 'operations-by-hand.ts');
	t.regex(output, /right 8 of 8\n$/);
});

test.serial('fine-tune.ts learns from another net, and finds the pictures of the same colour', async (t) => {
	await writeSmallCheckpoint(join(project, 'teacher.safetensors'));
	const output = await outputOf(project, 'fine-tune.ts', 'teacher.safetensors', 'pictures', 'tuned.safetensors', '1');
	t.regex(
		output,
		/^epoch 1: loss \d\.\d+\nmost like pictures\/blue\/\d+\.png:\n(\d+\.\d+ pictures\/blue\/\d+\.png\n){6}$/,
	);
	await using model = await AlexNet.load(join(project, 'tuned.safetensors'), {inferenceOnly: true});
	t.deepEqual(model.labels, ['blue', 'red']);
	t.deepEqual(model.frozen, ['conv1', 'conv2']);
});
