// Every preset at its full size, exported, run by ONNX Runtime, and imported again.
import test from 'ava';
import {AlexNet} from '../../lib/classifier.ts';
import {exportOnnx} from '../../lib/interchange/export-onnx.ts';
import {presets, type Preset} from '../../lib/net/presets/index.ts';
import {largestDifference, randomPictures, runOnnx, temporaryPaths} from '../helpers/interchange.ts';
import {centres} from '../helpers/planes.ts';

const at = temporaryPaths();

for (const preset of Object.keys(presets) as Preset[]) {
	test.serial(`ONNX Runtime gives the probabilities of ours, and the net comes back: ${preset}`, async (t) => {
		const path = at('net.onnx');
		const images = randomPictures(2, 256);
		await using model = await AlexNet.create({preset, classes: 1000, init: 'he', inferenceOnly: true});
		const mean = Float32Array.from({length: 256 * 256 * 3}, () => 100 + 50 * Math.random());
		model.statistics = {mean, pca: {values: new Float32Array(3), vectors: new Float32Array(9)}};
		await exportOnnx(model, path);
		const ours = await model.predict(images);
		const {crop} = model.architecture;
		t.true(largestDifference(ours, await runOnnx(path, centres(model.architecture, images), crop)) < 1e-5);
		t.true(new Set(ours).size > 1000, 'probabilities differ');
		await using back = await AlexNet.import(path, {inferenceOnly: true});
		t.deepEqual(await back.predict(images), ours);
	});
}
