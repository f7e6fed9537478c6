// Every path that a user gives: what is none is refused at the call, in words, and is not echoed.
import test from 'ava';
import {listPictures} from '../../lib/data/picture-list.ts';
import {readFeatures, writeFeatures} from '../../lib/features/features-file.ts';
import {
	AlexNet,
	checkFolder,
	drawNeighbours,
	drawPredictions,
	examplePictures,
	exportOnnx,
	exportSafetensors,
	ImageFolder,
	preparePictures,
	runExperiment,
	RunFolder,
	writeFilters,
	writeReport,
} from '../../lib/index.ts';
import {tinyNet} from '../../lib/selftest/networks.ts';
import {tinyLabels, tinySource} from '../helpers/networks.ts';

const model = AlexNet.uninitialized({architecture: tinyNet(), labels: tinyLabels, batchSize: 4});
test.after.always(async () => model.dispose());

const features = {
	...{names: ['a'], values: Float32Array.of(1), width: 1, layer: 'fc7', crops: 1 as const},
	...{checkpoint: 'net', folder: 'pictures'},
};
const source = tinySource(4, 'paths');

const takers: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
	'AlexNet.load': async (path) => AlexNet.load(path),
	'AlexNet.from': async (path) => AlexNet.from(path, {labels: ['a', 'b']}),
	'AlexNet.import': async (path) => AlexNet.import(path),
	'model.save': async (path) => model.save(path),
	'ImageFolder.open': async (path) => ImageFolder.open(path),
	checkFolder: async (path) => checkFolder(path),
	'preparePictures from': async (path) => preparePictures(path, 'out'),
	'preparePictures from several': async (path) => preparePictures(['a.tar', path], 'out'),
	'preparePictures to': async (path) => preparePictures('pictures', path),
	'examplePictures from': async (path) => examplePictures('emoji', {source: path}),
	'RunFolder.requireFree': async (path) => RunFolder.requireFree(path),
	'RunFolder.create': async (path) => RunFolder.create(path, {}),
	'RunFolder.read': async (path) => RunFolder.read(path),
	'RunFolder.resume': async (path) => RunFolder.resume(path, {}, model),
	'writeReport of': async (path) => writeReport([path]),
	'writeReport to': async (path) => writeReport(['run'], path),
	runExperiment: async (path) => runExperiment('relu', {folder: path, out: 'out'}),
	'runExperiment to': async (path) => runExperiment('relu', {out: path}),
	exportOnnx: async (path) => exportOnnx(model, path),
	exportSafetensors: async (path) => exportSafetensors(model, path),
	writeFilters: async (path) => writeFilters(model, `${path}.png`),
	drawPredictions: async (path) => drawPredictions(model, source, `${path}.png`),
	drawNeighbours: async (path) => drawNeighbours(model, source, source, `${path}.png`),
	writeFeatures: async (path) => writeFeatures(`${path}.npy`, features),
	readFeatures: async (path) => readFeatures(path),
	listPictures: async (path) => listPictures(path),
};

const data = 'QUJD'.repeat(1000);
const noPaths: Readonly<Record<string, string>> = {
	'a data: URL': `data:image/png;base64,${data}`,
	'a web address': `https://example.org/${data}`,
	'a file: URL': 'file:///pictures',
	'data as text': data,
	'a name that is too long': `pictures/${'é'.repeat(128)}/cat`,
};

for (const [name, take] of Object.entries(takers)) {
	test(`${name} refuses what is no path, and does not echo it`, async (t) => {
		for (const [what, given] of Object.entries(noPaths)) {
			const error = await t.throwsAsync<Error>(take(given), {code: 'ALEXNET_ARGUMENT'}, what);
			t.regex(error.message, / must be .*, got /, what);
			t.true(error.message.length < 300, `${what}: ${error.message}`);
		}
	});
}
