import test from 'ava';
import {Lookahead} from '../../lib/data/ahead.ts';

const none = (): void => undefined;

test('a look at the next value asks for it once, and the loop gets the same one', async (t) => {
	let asked = 0;
	const source = async function* (): AsyncGenerator<number, void, void> {
		while (asked < 4) {
			await Promise.resolve();
			yield ++asked;
		}
	};
	const values = new Lookahead(source(), (value) => ({value}), none);
	const [first, again] = [await values.peek(), await values.peek()];
	t.is(first, again);
	t.is(asked, 1);
	const seen: {value: number}[] = [];
	for await (const value of values) {
		seen.push(value);
		if (value.value % 2 === 1) await values.peek();
	}
	t.is(seen[0], first);
	t.deepEqual(
		seen.map(({value}) => value),
		[1, 2, 3, 4],
	);
	t.is(await values.peek(), undefined);
});

test('a failure is for the loop, not for who looks ahead', async (t) => {
	const source = async function* (): AsyncGenerator<number, void, void> {
		yield await Promise.resolve(1);
		throw new Error('no more');
	};
	const values = new Lookahead(source(), (value) => value, none);
	t.deepEqual(await values.next(), {done: false, value: 1});
	t.is(await values.peek(), undefined);
	await t.throwsAsync(values.next(), {message: 'no more'});
});

test('a loop that is left stops what was asked for, and ends the source', async (t) => {
	const told: string[] = [];
	let release = none;
	const stopped = new Promise<void>((resolve) => (release = resolve));
	const source = async function* (): AsyncGenerator<number, void, void> {
		try {
			yield 1;
			await stopped;
			yield 2;
		} finally {
			told.push('ended');
		}
	};
	const values = new Lookahead(
		source(),
		(value) => value,
		() => {
			told.push('stopped');
			release();
		},
	);
	for await (const value of values) {
		t.is(value, 1);
		void values.peek();
		break;
	}
	t.deepEqual(told, ['stopped', 'ended']);
});
