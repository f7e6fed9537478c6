// What is recommended for few pictures learns them, with the paper's whole net.
import {join} from 'node:path';
import test from 'ava';
import {AlexNet, ImageFolder, recipes} from '../../lib/index.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {writeSmallPictures} from '../helpers/small-runs.ts';

const {small} = recipes;

for (const learningRate of [small.create.learningRate, 0.01, 0.001]) {
	test.serial(`the recipe for few pictures learns at a rate of ${learningRate}`, async (t) => {
		const folder = join(await temporaryFolder(t), 'pictures');
		await writeSmallPictures(folder, 80);
		const {train, validation, labels} = await ImageFolder.open(folder);
		await using model = await AlexNet.create({labels, ...small.create, learningRate});
		const told: number[] = [];
		for await (const report of model.train(train, {...small.train, epochs: 3, validation})) {
			t.false(report.diverged, `epoch ${report.epoch}, step ${report.step}`);
			if (report.type === 'epoch') told.push(report.validation?.top1 ?? NaN);
		}
		const {largestShare} = await model.evaluate(validation);
		t.log(
			`held-out top-1 ${told.map((share) => share.toFixed(2)).join(', ')}, largest class ${largestShare.toFixed(2)}`,
		);
		t.true(Math.max(...told) > largestShare + 0.2);
	});
}
