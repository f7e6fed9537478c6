// The page's own reading of an ONNX file and of a picture's pixels; what runs the net there is ONNX Runtime for browsers.
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {runInNewContext} from 'node:vm';
import test from 'ava';
import {exportOnnx} from '../../lib/interchange/export-onnx.ts';
import {temporaryPaths} from '../helpers/interchange.ts';
import {tinyLabels, tinyModel} from '../helpers/networks.ts';
import {root} from '../helpers/sources.ts';

const at = temporaryPaths();

test('the page finds names of classes and sides of pictures in an exported file', async (t) => {
	await using model = await tinyModel();
	await exportOnnx(model, at('net.onnx'));
	const page = await readFile(join(root, 'examples/browser/index.html'), 'utf8');
	const functions = page.slice(page.indexOf('function metadataOf'), page.lastIndexOf('</script>'));
	const metadataOf = runInNewContext(`${functions}; metadataOf`, {TextDecoder}) as (bytes: Uint8Array) => unknown;
	const told = JSON.parse(JSON.stringify(metadataOf(await readFile(at('net.onnx'))))) as Record<string, unknown>;
	t.deepEqual(told.labels, tinyLabels);
	t.deepEqual(told.pictures, {imageSize: 32, crop: 27});
});
