import test from 'ava';
import {exportOnnx} from '../../lib/interchange/export-onnx.ts';
import {largestDifference, runOnnx, strong, temporaryPaths} from '../helpers/interchange.ts';
import {centres} from '../helpers/planes.ts';
import {meetingNet, smooth, tinyModel, tinyNet, tinyPictures} from '../helpers/networks.ts';

const at = temporaryPaths();

for (const [title, architecture] of [
	['two columns', strong(tinyNet())],
	['columns that meet', strong(meetingNet())],
	['one column', {...strong(tinyNet()), columns: 1}],
	['tanh', smooth('tanh')],
	['sigmoid', smooth('sigmoid')],
] as const) {
	test(`ONNX Runtime gives the probabilities of ours: ${title}`, async (t) => {
		await using model = await tinyModel({architecture, seed: Math.floor(Math.random() * 1e6)});
		const {images} = tinyPictures(5, String(Math.random()));
		await exportOnnx(model, at(`${title}.onnx`));
		const ours = await model.predict(images);
		const theirs = await runOnnx(at(`${title}.onnx`), centres(model.architecture, images), architecture.crop);
		t.true(largestDifference(ours, theirs) < 1e-5);
		t.true(new Set(ours).size > 5, 'pictures differ');
	});
}
