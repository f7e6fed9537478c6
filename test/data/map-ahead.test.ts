import test from 'ava';
import {mapAhead} from '../../lib/data/map-ahead.ts';

test('results keep the order, with a bounded number begun, and none waits for later values', async (t) => {
	let [begun, ended, most] = [0, 0, 0];
	const double = async (value: number): Promise<number> => {
		most = Math.max(most, ++begun - ended);
		for (let turn = 0; turn < (value * 7) % 5; ++turn) await new Promise(setImmediate);
		++ended;
		return value * 2;
	};
	const values = Array.from({length: 50}, (_, index) => index);
	const results: number[] = [];
	for await (const result of mapAhead(values, 4, double)) results.push(result);
	t.deepEqual(
		results,
		values.map((value) => value * 2),
	);
	t.true(most > 1 && most <= 4, `${most} at once`);
	const never = new Promise<never>(() => undefined);
	const slow = mapAhead(
		(async function* () {
			yield 1;
			await never;
		})(),
		4,
		double,
	);
	t.deepEqual(await slow.next(), {done: false, value: 2});
});

test('a source that throws ends it in its turn, and one that is left is told', async (t) => {
	let left = false;
	const source = function* (): Generator<number> {
		try {
			for (let value = 0; ; ++value) {
				if (value === 3) throw new Error('no more');
				yield value;
			}
		} finally {
			left = true;
		}
	};
	const results = mapAhead(source(), 10, (value) => Promise.resolve(value));
	for (const value of [0, 1, 2]) t.deepEqual(await results.next(), {done: false, value});
	await t.throwsAsync(results.next(), {message: 'no more'});
	t.true(left);
});
