// A run of the small net with class names that would be markup, to be looked at.
import {AlexNet, RunFolder, trainRun, type PictureSource} from '../../lib/index.ts';
import {tinyNet, tinySource} from './networks.ts';

export const hostileLabels = ['</script><script>alert(1)</script>', '<!-- & "quotes" \u2028', '__proto__'];

const named = (source: PictureSource): PictureSource => ({
	...source,
	labels: hostileLabels,
	pictures: Array.from({length: source.size}, (_, place) => ({path: `/home/me/<b>/${place}<script>.png`})),
});

/** Trains for some epochs of three steps. */
export async function makeRun(path: string, epochs: number): Promise<void> {
	const net = {architecture: tinyNet(), labels: hostileLabels, batchSize: 16, seed: 5};
	await using model = AlexNet.uninitialized(net);
	await model.initialize();
	const run = await RunFolder.create(path, {labels: hostileLabels, settings: {note: '</script>'}, devices: []});
	const [source, validation] = [tinySource(48, String(Math.random())), tinySource(30, String(Math.random()))].map(
		named,
	);
	if (!source || !validation) throw new Error('There are no pictures.');
	await trainRun({run, model, source, validation, epochs});
}
