import {checked, filePath} from '../base/check.ts';
import {outgoingParameters} from '../checkpoint/checkpoint.ts';
import {writeSafetensors} from '../checkpoint/safetensors.ts';
import {aModel, type Model} from '../net/model.ts';
import {toPlanes} from './pixels.ts';
import {pcaInJson} from './read-net.ts';
import {meanName, modulesOf} from './state-dict.ts';

/**
 * Writes weights and biases for PyTorch, as safetensors: under torchvision's names where the layers are those of its
 * alexnet, otherwise under the layers' own (`conv1.weight`); `mean` is the mean image, [3, imageSize, imageSize]. The
 * architecture and the labels are in its metadata, as JSON. docs/interchange.md has a PyTorch module that runs any of
 * them.
 *
 * @throws ALEXNET_CHECKPOINT where the file cannot be written, ALEXNET_LOSS where a weight is no finite number,
 * ALEXNET_DISPOSED after dispose().
 */
export async function exportSafetensors(model: Model, path: string): Promise<void> {
	checked('model', aModel, model);
	checked('path', filePath, path);
	await model.exclusively(() => write(model, path));
}

async function write(model: Model, path: string): Promise<void> {
	const {architecture, labels, statistics} = model;
	const {imageSize} = architecture;
	const names = modulesOf(architecture);
	const tensors = outgoingParameters(
		model,
		path,
	)('weights').map((tensor) => {
		const [, layer = '', part = ''] = /^(.*)\.(.*)$/.exec(tensor.name) ?? [];
		return {...tensor, name: `${names[layer] ?? layer}.${part}`};
	});
	const mean = toPlanes(statistics.mean);
	const told = {architecture, names, labels, pca: pcaInJson(statistics)};
	const metadata = Object.entries(told).map(([key, value]) => [key, JSON.stringify(value)] as const);
	await writeSafetensors(
		path,
		[...tensors, {name: meanName, shape: [3, imageSize, imageSize], read: () => Promise.resolve(mean)}],
		{format: 'pt', ...Object.fromEntries(metadata)},
	);
}
