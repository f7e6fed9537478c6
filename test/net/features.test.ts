// Feature vectors of many pictures: in the pictures' order, each picture's own error.
import {setTimeout} from 'node:timers/promises';
import test from 'ava';
import {AlexNet} from '../../lib/classifier.ts';
import type {PictureInput} from '../../lib/data/decode.ts';
import {tinyLabels, tinyNet, tinyPictures} from '../helpers/networks.ts';

const side = tinyNet().imageSize;
const count = 23;
const {images} = tinyPictures(count, `features ${Date.now()}`);
const pictures = Array.from({length: count}, (_, index): PictureInput => ({
	...{width: side, height: side, channels: 3},
	data: images.subarray(index * side * side * 3, (index + 1) * side * side * 3),
}));

async function net(): Promise<AlexNet> {
	const model = AlexNet.uninitialized({architecture: tinyNet(), labels: tinyLabels, batchSize: 16});
	await model.initialize();
	return model;
}

for (const layer of ['conv2', 'fc6']) {
	test(`features of ${layer} are what activations tells of the same pixels`, async (t) => {
		await using model = await net();
		const expected = await model.activations(images, layer);
		const width = expected.length / count;
		const broken = Uint8Array.of(1, 2, 3);
		let place = 0;
		for await (const {picture, features, error} of model.features(pictures.toSpliced(7, 0, broken), layer)) {
			if (picture === broken) {
				t.is(place, 7);
				t.is(error?.code, 'ALEXNET_PICTURE');
				continue;
			}
			t.is(picture, pictures[place]!);
			const own = expected.subarray(place * width, (place + 1) * width);
			t.is(features?.length, width);
			t.true(features?.every((value, index) => Math.abs(value - own[index]!) < 1e-5));
			++place;
		}
		t.is(place, count);
	});
}

test('a batch of many pictures is no leak of listeners', async (t) => {
	const warnings: string[] = [];
	const listen = ({message}: Error): void => void warnings.push(message);
	process.on('warning', listen);
	t.teardown(() => process.off('warning', listen));
	await using model = await net();
	for await (const {features} of model.features(pictures, 'fc6')) t.truthy(features);
	for await (const {classes} of model.classifyMany(pictures, {signal: new AbortController().signal})) t.truthy(classes);
	await setTimeout(0); // a warning comes with the next turn
	t.deepEqual(warnings, []);
});

test('what is no layer, and what is no series, is refused at once', async (t) => {
	await using model = await net();
	const refuse = (run: () => unknown, message: RegExp): void => {
		t.throws(run, {code: 'ALEXNET_ARGUMENT', message});
	};
	refuse(() => model.features(pictures, 'conv22'), /no layer 'conv22'\. Did you mean 'conv2'\?/);
	refuse(() => model.features('a.jpg', 'fc6'), /pictures must be an array or another iterable/);
	refuse(() => model.features(pictures, 'fc6', {batchSize: 0}), /batchSize must be an integer of at least 1/);
	refuse(() => model.features(pictures, 'fc6', {top: 3} as object), /features has no option 'top'/);
});
