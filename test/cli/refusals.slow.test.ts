// What the command line refuses, with which words and exit code.
import {mkdir, mkdtemp, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {cudaAvailability} from '../../lib/device/device.ts';
import {alexnet, controlCharacters, writeCorruptPicture, writePictures} from '../helpers/command.ts';
import {writeSmallCheckpoint} from '../helpers/small-checkpoint.ts';

let folder = '';

test.before(async () => {
	folder = await mkdtemp(join(tmpdir(), 'alexnet-'));
});

test.after.always(async () => rm(folder, {recursive: true, force: true}));

/** Arguments, and the option or argument that the message must name. */
const usageErrors: readonly (readonly [string, RegExp])[] = [
	['', /^Usage: alexnet /],
	['fly', /unknown command 'fly'/],
	['train', /missing required argument 'folder'/],
	['train pictures --epochs 0', /'--epochs <number>' argument '0' is invalid. Expected an integer of at least 1/],
	['train pictures --epochs 1.5', /--epochs/],
	['train pictures --batch-size many', /--batch-size/],
	['train pictures --batch-size 0x10', /--batch-size/],
	['train pictures --learning-rate=', /--learning-rate/],
	['train pictures --learning-rate -1', /--learning-rate/],
	['train pictures --momentum 1', /--momentum.* below 1/],
	['train pictures --dropout 1', /--dropout/],
	['train pictures --seed -1', /--seed/],
	['train pictures --divide-at 30,x', /--divide-at/],
	['train pictures --columns 3', /--columns.* Expected 1 or 2/],
	['train pictures --crops 5', /--crops/],
	['train pictures --precision fp16', /--precision.* Allowed choices are fp32, tf32, bf16/],
	['train pictures --init xavier', /--init/],
	['train pictures --preset vgg', /--preset.* Allowed choices are paper, source2012, caffe, caffenet, owt/],
	['train pictures --pooling 4', /--pooling/],
	['train pictures --frobnicate', /unknown option '--frobnicate'/],
	['train pictures --batchsize 4', /unknown option '--batchsize'\s+\(Did you mean --batch-size\?\)/],
	['trian pictures', /unknown command 'trian'\s+\(Did you mean train\?\)/],
	['train pictures --epochs ١', /--epochs/],
	['train pictures --device=', /--device.* Expected a device such as cpu or cuda:0/],
	['selftest --device cpu,', /--device.* Expected a device such as cpu or cuda:0/],
	['evaluate net.safetensors', /missing required argument 'folder'/],
	['check', /missing required argument 'folder'/],
	['check pictures --validation-fraction 1', /--validation-fraction/],
	['evaluate net.safetensors pictures --split some', /--split/],
	['classify net.safetensors', /missing required argument 'pictures'/],
	['classify net.safetensors picture.png --top 0', /--top/],
	['filters net.safetensors picture.gif', /'picture'.*\.png/],
	['export net.safetensors net.pb', /'file'.*\.onnx/],
	['bench flight', /no trial 'flight'\. Trials: train-step, training, inference, .*conv5-input-gradient.*sgd/],
	['bench trian-step', /no trial 'trian-step'\. Did you mean 'train-step'\?/],
	['bench cast --repetitions 0', /--repetitions/],
];

for (const [line, message] of usageErrors) {
	test.serial(`usage: alexnet ${line}`, async (t) => {
		const {code, stdout, stderr} = await alexnet(line === '' ? [] : line.split(' '));
		t.is(code, 2, stderr);
		t.is(stdout, '');
		t.regex(stderr, message);
	});
}

test.serial('help and version are no errors', async (t) => {
	for (const args of [['--help'], ['--version'], ['help', 'train'], ['bench', '--help']]) {
		const {code, stdout, stderr} = await alexnet(args);
		t.is(code, 0);
		t.is(stderr, '');
		t.regex(stdout, /alexnet|^\d+\.\d+\.\d+/);
	}
});

/** Runs a command that must fail with this code, in one message without a stack. */
async function refused(t: ExecutionContext, code: string, args: string[]): Promise<string> {
	const ended = await alexnet(args);
	t.is(ended.code, 1, ended.stderr);
	t.is(ended.stdout, '');
	t.true(ended.stderr.trimEnd().endsWith(`(${code})`), ended.stderr);
	t.notRegex(ended.stderr, /^ +at /m);
	return ended.stderr;
}

test.serial('devices that are not here', async (t) => {
	const pictures = join(folder, 'two');
	await writePictures(pictures, {dark: [40, 40, 40], light: [200, 200, 200]}, 2);
	const out = join(folder, 'no-device');
	const train = ['train', pictures, '--batch-size', '2', '--out', out];
	t.regex(await refused(t, 'ALEXNET_DEVICE', [...train, '--device', 'tpu']), /Unknown device 'tpu'.*cpu:0/);
	if (cudaAvailability().reason !== 'available') {
		const words = await refused(t, 'ALEXNET_DEVICE', [...train, '--device', 'cuda:0']);
		t.true(words.includes(cudaAvailability().message));
	}
	await refused(t, 'ALEXNET_DEVICE', ['bench', 'cast', '--device', 'tpu']);
	const two = ['--device', 'cpu:0,cpu:1'];
	const single = await refused(t, 'ALEXNET_ARGUMENT', ['bench', 'cast', ...two]);
	t.regex(
		single,
		/cast runs on one device, got cpu:0, cpu:1\. On several there are train-step, training, inference, inference-1 and exchanges\./,
	);
	await t.throwsAsync(readdir(out), {code: 'ENOENT'});
});

test.serial('folders that cannot be trained on', async (t) => {
	const train = (path: string): string[] => ['train', path, '--batch-size', '2', '--out', join(folder, 'unused')];
	await refused(t, 'ALEXNET_FOLDER', train(join(folder, 'missing')));
	await mkdir(join(folder, 'empty'));
	await refused(t, 'ALEXNET_FOLDER', train(join(folder, 'empty')));
	await writePictures(join(folder, 'one'), {only: [100, 100, 100]}, 3);
	t.regex(await refused(t, 'ALEXNET_FOLDER', train(join(folder, 'one'))), /one class, 'only'; .* at least two/);
	await writePictures(join(folder, 'few'), {dark: [40, 40, 40], light: [200, 200, 200]}, 2);
	const few = [...train(join(folder, 'few')), '--batch-size', '128'];
	const words = await refused(t, 'ALEXNET_ARGUMENT', few);
	t.regex(words, /fewer than one batch of 128\. Use a --batch-size of at most 2\./);
});

test.serial('a class of which no picture can be read: no run, and no folder of one', async (t) => {
	const pictures = join(folder, 'pages');
	await writePictures(pictures, {dark: [40, 40, 40], light: [200, 200, 200]}, 3);
	for (const name of await readdir(join(pictures, 'light'))) {
		await writeFile(join(pictures, 'light', name), '<!DOCTYPE html><title>404</title>');
	}
	const out = join(folder, 'runs', 'of', 'pages');
	const words = await refused(t, 'ALEXNET_FOLDER', ['train', pictures, '--batch-size', '2', '--out', out]);
	t.regex(words, /of class 'light' can.* be read; .* it is not a JPEG, PNG, WebP, GIF or TIFF picture/);
	await t.throwsAsync(readdir(join(folder, 'runs')), {code: 'ENOENT'});
});

test.serial('no folder stays for a file that is not written', async (t) => {
	const [net, pictures, made] = [join(folder, 'net.safetensors'), join(folder, 'cats'), join(folder, 'made')];
	await writeSmallCheckpoint(net);
	const colours = {cat: [200, 40, 40], dog: [40, 40, 200]};
	for (const part of ['train', 'val']) await writePictures(join(pictures, part), colours, 2);
	const out = (name: string): string => join(made, 'for', name);
	const missing = join(folder, 'missing.safetensors');
	await refused(t, 'ALEXNET_CHECKPOINT', ['features', missing, pictures, '--out', out('features.npy')]);
	const figure = ['figure', 'neighbours', net, pictures, '--layer', 'fc9', '--out', out('figure.png')];
	await refused(t, 'ALEXNET_ARGUMENT', figure);
	const picture = join(pictures, 'val', 'cat', '0.png');
	const features = join(folder, 'features.safetensors');
	t.is((await alexnet(['features', net, pictures, '--out', features])).code, 0);
	await rm(join(pictures, 'train'), {recursive: true});
	const grid = await alexnet(['nearest', features, picture, '-k', '5', '--out', out('grid.png')]);
	t.is(grid.code, 1, grid.stderr);
	for (const class_ of ['cat', 'dog']) {
		for (const name of ['0.png', '1.png']) await writeCorruptPicture(join(pictures, 'val', class_, name));
	}
	await refused(t, 'ALEXNET_FOLDER', ['evaluate', net, join(pictures, 'val'), '--csv', out('table.csv')]);
	await t.throwsAsync(readdir(made), {code: 'ENOENT'});
	await writeFile(made, '');
	const words = await refused(t, 'ALEXNET_CHECKPOINT', ['export', net, out('net.onnx')]);
	t.regex(words, /^error: Could not write .*net\.onnx: ENOTDIR/);
});

test.serial('checkpoints that are none', async (t) => {
	const words = await refused(t, 'ALEXNET_CHECKPOINT', ['classify', join(folder, 'missing.safetensors'), 'a.png']);
	t.regex(words, /missing\.safetensors/);
	const text = join(folder, 'text.safetensors');
	await writeCorruptPicture(text);
	await refused(t, 'ALEXNET_CHECKPOINT', ['evaluate', text, folder]);
	await refused(t, 'ALEXNET_CHECKPOINT', ['filters', text, join(folder, 'filters.png')]);
});

test.serial('a run folder that is a file', async (t) => {
	const pictures = join(folder, 'pictures');
	await writePictures(pictures, {dark: [40, 40, 40], light: [200, 200, 200]}, 2);
	const out = join(folder, 'file');
	await writeCorruptPicture(out);
	await refused(t, 'ALEXNET_RUN', ['train', pictures, '--batch-size', '2', '--out', out]);
});

test.serial('ALEXNET_DEBUG=1 shows where', async (t) => {
	process.env.ALEXNET_DEBUG = '1';
	try {
		const {code, stderr} = await alexnet(['filters', join(folder, 'missing.safetensors'), join(folder, 'a.png')]);
		t.is(code, 1);
		t.regex(stderr, /^ +at .*safetensors\.js/m);
	} finally {
		delete process.env.ALEXNET_DEBUG;
	}
});

test.serial('devices are listed, with why there is no CUDA device', async (t) => {
	const text = await alexnet(['devices']);
	t.is(text.code, 0, text.stderr);
	t.is(text.stderr, '');
	t.regex(text.stdout, /^cpu:0 .*, \d+ cores? .* GiB {2}(in hardware|emulated, slow)$/m);
	t.deepEqual(controlCharacters(text.stdout), []);
	const json = await alexnet(['devices', '--json']);
	const {devices, cuda} = JSON.parse(json.stdout) as {devices: {id: string}[]; cuda: {reason: string; message: string}};
	t.is(devices[0]?.id, 'cpu:0');
	t.deepEqual(cuda, {...cudaAvailability()});
	t.is(text.stdout.includes(cuda.message), cuda.reason !== 'available');
});
