// The layer that activates apart: a net in which it takes the place of a convolution's own relu computes the same bits.
import test from 'ava';
import {checked} from '../../lib/base/check.ts';
import {listDevices} from '../../lib/device/device.ts';
import {architectureCheck, type Architecture} from '../../lib/net/architecture.ts';
import type {LayerSpec} from '../../lib/net/layers/registry.ts';
import {testOn} from '../helpers/devices.ts';
import {tinyModel, tinyNet, tinyPictures} from '../helpers/networks.ts';

const devices = [...listDevices().map(({id}) => [id]), ['cpu:0', 'cpu:1']];

/** The tiny net with conv2's relu in a layer of its own. */
function apart(): Architecture {
	const net = tinyNet();
	const own = {type: 'activate', name: 'relu2', activation: 'relu'} as const;
	const layers = net.layers.flatMap((spec): LayerSpec[] =>
		spec.type === 'conv2d' && spec.name === 'conv2' ? [{...spec, activation: 'none'}, own] : [spec],
	);
	return {...net, layers};
}

for (const ids of devices) {
	for (const precision of ['fp32', 'bf16'] as const) {
		testOn(ids, `a relu apart is one that is fused [${ids.join(', ')}] (${precision})`, async (t) => {
			await using one = await tinyModel({devices: ids, precision});
			await using other = await tinyModel({devices: ids, precision, architecture: apart()});
			const {images, labels} = tinyPictures(16, t.title);
			t.deepEqual(await other.predict(images), await one.predict(images));
			for (let step = 0; step < 3; ++step) {
				t.deepEqual(await other.trainStep({images, labels}), await one.trainStep({images, labels}));
			}
			t.deepEqual(await other.gradients(), await one.gradients());
			t.deepEqual(await other.getParameters(), await one.getParameters());
		});
	}
}

test('the check of what files hold knows the layer, and refuses other activations in it', (t) => {
	const net = apart();
	t.deepEqual(checked('architecture', architectureCheck, net), net);
	const layers = net.layers.map((spec) => (spec.name === 'relu2' ? {...spec, activation: 'gelu'} : spec));
	const wrong = {...net, layers} as Architecture;
	t.throws(() => checked('architecture', architectureCheck, wrong), {
		message: /activation must be one of relu, tanh, sigmoid, got 'gelu'/,
	});
});
