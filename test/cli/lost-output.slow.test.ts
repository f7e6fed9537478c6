// Commands that work for long come to their end although nobody reads what they say.
import {readFile, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {SafetensorsFile} from '../../lib/checkpoint/safetensors.ts';
import {ImageFolder} from '../../lib/index.ts';
import {alexnet, writePictures} from '../helpers/command.ts';
import {tinyNet} from '../helpers/networks.ts';
import {temporaryFolder} from '../helpers/pictures.ts';

test('train, evaluate, prepare and experiment', async (t) => {
	const folder = await temporaryFolder(t);
	const at = (...path: string[]): string => join(folder, ...path);
	await writePictures(at('pictures'), {red: [200, 40, 40], blue: [40, 40, 200]}, 40);
	await writeFile(at('net.json'), JSON.stringify(tinyNet(2)));
	const ends = async (...args: string[]): Promise<void> => {
		t.is((await alexnet(args, {isUnread: true})).code, 0, args.join(' '));
	};
	const net = ['--architecture', at('net.json'), '--batch-size', '8', '--epochs', '2'];
	await ends('train', at('pictures'), '--out', at('run'), ...net);
	const checkpoint = at('run', 'last.safetensors');
	const file = await SafetensorsFile.open(checkpoint);
	await file.close();
	t.is(file.metadata.step, '18');

	await ends('evaluate', checkpoint, at('pictures'), '--split', 'all', '--csv', at('told.csv'));
	t.is((await readFile(at('told.csv'), 'utf8')).match(/\.png,/g)?.length, 80);

	await ends('prepare', at('pictures'), at('prepared'));
	const {train, validation} = await ImageFolder.open(at('prepared'));
	t.is(train.size + validation.size, 80);

	await ends('experiment', 'crops', at('pictures'), '--seeds', '1', '--out', at('experiment'));
	t.true((await stat(at('experiment', 'experiment.html'))).size > 0);
});
