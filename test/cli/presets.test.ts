// `alexnet presets`: the numbers of the paper's table and of torchvision's net, in words and as JSON.
import test from 'ava';
import {alexnet} from '../helpers/command.ts';

interface Told {
	classes: number;
	presets: {
		preset: string;
		parameters: number;
		multiplications: number;
		layers: {name: string; output: number[]; parameters: number; multiplications: number}[];
	}[];
}

async function told(...args: string[]): Promise<Told> {
	const {code, stdout, stderr} = await alexnet(['presets', ...args, '--json']);
	if (code !== 0) throw new Error(stderr);
	return JSON.parse(stdout) as Told;
}

test.serial('each has its parameters', async (t) => {
	const {classes, presets} = await told();
	t.is(classes, 1000);
	t.deepEqual(
		presets.map(({preset, parameters}) => [preset, parameters]),
		[...['paper', 'source2012', 'caffe', 'caffenet'].map((preset) => [preset, 60_965_224]), ['owt', 61_100_840]],
	);
});

test.serial('one alone, with what each layer makes, has and multiplies', async (t) => {
	const {presets} = await told('paper');
	t.is(presets.length, 1);
	const [{multiplications, layers}] = presets as [Told['presets'][0]];
	t.deepEqual(
		layers
			.filter(({parameters}) => parameters > 0)
			.map((layer) => [layer.name, layer.output.join('x'), layer.parameters, (layer.multiplications / 1e6).toFixed(1)]),
		[
			['conv1', '55x55x96', 34_944, '105.4'],
			['conv2', '27x27x256', 307_456, '223.9'],
			['conv3', '13x13x384', 885_120, '149.5'],
			['conv4', '13x13x384', 663_936, '112.1'],
			['conv5', '13x13x256', 442_624, '74.8'],
			['fc6', '4096', 37_752_832, '37.7'],
			['fc7', '4096', 16_781_312, '16.8'],
			['fc8', '1000', 4_097_000, '4.1'],
		],
	);
	t.is((multiplications / 1e6).toFixed(1), '724.4');
});

test.serial('words tell what sets it apart', async (t) => {
	const {code, stdout} = await alexnet(['presets', 'caffe']);
	t.is(code, 0);
	t.regex(stdout, /^caffe +227 +2 +caffe +60,965,224 +724\.4$/m);
	t.regex(stdout, /^caffe: .*LRN across both columns/m);
	t.regex(stdout, /^lrn1 +55x55x96 +0 +0\.0 +n 5, .*, k 1, reads both$/m);
	t.notRegex(stdout, /owt/);
});

test.serial('another name is refused with those that there are', async (t) => {
	const {code, stderr} = await alexnet(['presets', 'vgg']);
	t.is(code, 2);
	t.regex(stderr, /Allowed choices are paper, source2012, caffe, caffenet, owt/);
});
