// Pictures of many kinds through one model: classes in the pictures' order, each picture's own error, ends of all kinds.
import test from 'ava';
import {AlexNet} from '../../lib/classifier.ts';
import type {PictureInput} from '../../lib/data/decode.ts';
import {tinyLabels, tinyNet, tinyPictures} from '../helpers/networks.ts';

const side = tinyNet().imageSize;

async function classifier(): Promise<AlexNet> {
	const model = AlexNet.uninitialized({architecture: tinyNet(), labels: tinyLabels, batchSize: 4});
	await model.initialize();
	return model;
}

/** Raw pictures that differ. */
function pictures(count: number, seed: string): PictureInput[] {
	const {images} = tinyPictures(count, seed);
	const bytes = images.length / count;
	return Array.from({length: count}, (_, index) => ({
		...{width: side, height: side, channels: 3 as const},
		data: images.subarray(index * bytes, (index + 1) * bytes),
	}));
}

test('classifyMany tells of each picture in its order what classify tells, or its error', async (t) => {
	await using model = await classifier();
	const broken = Uint8Array.of(1, 2, 3);
	const all = pictures(11, `${Math.random()}`).toSpliced(5, 1, broken);
	const results = [];
	for await (const result of model.classifyMany(all, {top: 2, crops: 10})) results.push(result);
	t.deepEqual(
		results.map(({picture}) => picture),
		all,
	);
	for (const {picture, classes, error} of results) {
		if (picture === broken) {
			t.is(error?.code, 'ALEXNET_PICTURE');
			continue;
		}
		const alone = await model.classify(picture, {top: 2, crops: 10});
		t.deepEqual(
			classes?.map(({label}) => label),
			alone.map(({label}) => label),
		);
		t.true(classes!.every(({probability}, place) => Math.abs(probability - alone[place]!.probability) < 1e-6));
	}
});

test('classifyMany takes from an endless source what is asked for, and tells the source when the consumer leaves', async (t) => {
	await using model = await classifier();
	const [picture] = pictures(1, 'endless');
	let taken = 0;
	let end = (): void => undefined;
	const ended = new Promise<void>((resolve) => (end = resolve));
	async function* endless(): AsyncGenerator<PictureInput> {
		try {
			for (;;) {
				++taken;
				yield await Promise.resolve(picture!);
			}
		} finally {
			end();
		}
	}
	let told = 0;
	for await (const {classes} of model.classifyMany(endless(), {batchSize: 2})) {
		t.truthy(classes);
		if (++told === 6) break;
	}
	await ended;
	t.true(taken < 6 + 2 * 2 + 2 * 2, `${taken} taken for 6 told in batches of 2`);
});

test('the signal ends classify and classifyMany with its reason, also while a source makes wait', async (t) => {
	await using model = await classifier();
	const [first] = pictures(1, 'signal');
	const reason = new Error('enough');
	await t.throwsAsync(model.classify(first!, {signal: AbortSignal.abort(reason)}), {is: reason});
	const controller = new AbortController();
	async function* stuck(): AsyncGenerator<PictureInput> {
		yield first!;
		controller.abort(reason);
		await new Promise(() => undefined);
	}
	const many = model.classifyMany(stuck(), {batchSize: 2, signal: controller.signal});
	await t.throwsAsync(
		async () => {
			for await (const {classes} of many) t.truthy(classes);
		},
		{is: reason},
	);
	t.is((await model.classify(first!)).length, tinyLabels.length);
});

test('dispose while pictures are decoded: each is told, or refused with ALEXNET_DISPOSED', async (t) => {
	const model = await classifier();
	const calls = pictures(12, 'dispose').map((picture) => model.classify(picture));
	const many = model.classifyMany(pictures(3, 'many'));
	const next = many.next();
	const settled = Promise.allSettled([...calls, next]);
	await model.dispose();
	for (const outcome of await settled) {
		if (outcome.status === 'rejected') t.is((outcome.reason as {code?: string}).code, 'ALEXNET_DISPOSED');
	}
	t.is(model.memory.bytes, 0);
	await t.throwsAsync(model.classify(pictures(1, 'late')[0]!), {code: 'ALEXNET_DISPOSED'});
});
