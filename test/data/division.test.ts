import test from 'ava';
import {divide, fractionOf} from '../../lib/data/division.ts';
import {randomNumbers} from '../helpers/pictures.ts';

test("a run's division is found again from how many pictures of each class it held out", async (t) => {
	const random = randomNumbers(Date.now());
	for (let round = 0; round < 300; ++round) {
		const classes = Array.from({length: 1 + Math.floor(random() * 6)}, (_, index) => ({
			...{label: `class ${index}`, folder: `class ${index}`},
			paths: Array.from({length: 1 + Math.floor(random() * 40)}, (__, picture) => `${picture}.jpg`),
		}));
		const fraction = round % 7 === 0 ? 0 : random();
		const [train, heldOut] = await divide(classes, fraction, round);
		const counts = train.map(({paths}, index) => ({trained: paths.length, heldOut: heldOut[index]!.paths.length}));
		const found = fractionOf(counts);
		t.deepEqual(await divide(classes, found ?? NaN, round), [train, heldOut], `fraction ${fraction}, found ${found}`);
	}
	t.is(
		fractionOf([
			{trained: 90, heldOut: 10},
			{trained: 50, heldOut: 50},
		]),
		undefined,
	);
});
