// Does the same thing again and again, and prints what the process holds after each hundred of them.
import {argv, stdout} from 'node:process';
import {failSteps} from './failed-steps.ts';
import {tinyModel, tinyPictures} from './networks.ts';
import {usage, type Usage} from './usage.ts';

const [what, hundreds, ...devices] = argv.slice(2) as ['models' | 'failed steps', string, ...string[]];
const batch = tinyPictures(4, 'cycles');

export interface Report {
	readonly after: readonly Usage[];
	/** Bytes of tensors that all models together have held. */
	readonly held: number;
}

const after: Usage[] = [];
let held = 0;
if (what === 'models') {
	for (let count = 1; count <= Number(hundreds) * 100; ++count) {
		const model = await tinyModel({devices, batchSize: 4});
		await model.trainStep(batch);
		held += model.memory.bytes;
		await model.dispose();
		if (count % 100 === 0) after.push(await usage());
	}
} else {
	await using model = await tinyModel({devices});
	for (let count = 0; count < Number(hundreds); ++count) {
		await failSteps(model, batch, 100);
		after.push(await usage());
	}
	held = model.memory.bytes;
}
stdout.write(JSON.stringify({after, held} satisfies Report));
