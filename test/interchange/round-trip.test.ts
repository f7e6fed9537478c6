// What was exported comes back, byte for byte.
import {readFile, writeFile} from 'node:fs/promises';
import test from 'ava';
import {AlexNet} from '../../lib/classifier.ts';
import {exportOnnx} from '../../lib/interchange/export-onnx.ts';
import {exportSafetensors} from '../../lib/interchange/export-safetensors.ts';
import {classesOf, type Architecture} from '../../lib/net/architecture.ts';
import {temporaryPaths, torchvisionNet} from '../helpers/interchange.ts';
import {meetingNet, smooth, tinyModel, tinyNet} from '../helpers/networks.ts';

const at = temporaryPaths();

/** What a graph says of a net: not how parameters started, nor whether the only column is a layer's own or all. */
const shape = ({layers, ...rest}: Architecture): unknown => ({
	...rest,
	layers: layers.map((layer) => ({...layer, initial: undefined, ...(rest.columns === 1 && {reads: undefined})})),
});

for (const [title, architecture] of [
	['two columns', tinyNet()],
	['columns that meet', meetingNet()],
	['sigmoids', smooth('sigmoid')],
	['one column, of whole pictures', {...tinyNet(), columns: 1, imageSize: 27}],
	["torchvision's layers", torchvisionNet(64, 63)],
] as readonly (readonly [title: string, architecture: Architecture])[]) {
	for (const [format, write] of Object.entries({onnx: exportOnnx, safetensors: exportSafetensors})) {
		test(`${format}: ${title}`, async (t) => {
			const classes = classesOf(architecture);
			const labels = Array.from({length: classes}, (_, index) => `name "${index}" – é`);
			const random = (length: number): Float32Array => Float32Array.from({length}, () => Math.random() * 255);
			const statistics = {mean: random(architecture.imageSize ** 2 * 3), pca: {values: random(3), vectors: random(9)}};
			await using model = await tinyModel({architecture, labels, seed: Math.floor(Math.random() * 1e6)}, statistics);
			const path = at(`${title}.${format}`);
			await write(model, path);
			await using back = await AlexNet.import(path);
			t.deepEqual(shape(back.architecture), shape(architecture));
			t.deepEqual(back.labels, labels);
			t.deepEqual(back.statistics, statistics);
			t.deepEqual(await back.getParameters(), await model.getParameters());
		});
	}
}

for (const [format, write] of Object.entries({onnx: exportOnnx, safetensors: exportSafetensors})) {
	test(`${format}: a mean image that is no number somewhere is refused`, async (t) => {
		const mean = new Float32Array(32 * 32 * 3).fill(120).with(1000, 123.456);
		const pca = {values: new Float32Array(3), vectors: new Float32Array(9)};
		await using model = await tinyModel({}, {mean, pca});
		const path = at(`mean.${format}`);
		await write(model, path);
		const bytes = await readFile(path);
		const place = bytes.indexOf(new Uint8Array(mean.buffer, 1000 * 4, 4));
		t.true(place > 0);
		bytes.writeFloatLE(NaN, place);
		await writeFile(path, bytes);
		await t.throwsAsync(AlexNet.import(path), {code: 'ALEXNET_IMPORT', message: /mean.* finite/});
	});
}
