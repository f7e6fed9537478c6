// What is shown while something runs, on a terminal and elsewhere.
import {Writable} from 'node:stream';
import test from 'ava';
import {count, duration, percent, table} from '../../cli/format.ts';
import {createProgress} from '../../cli/progress.ts';
import {controlCharacters} from '../helpers/command.ts';

/** A stream that remembers what it was given, and says that it is a terminal or none. */
function recorder(isTTY: boolean): NodeJS.WriteStream & {text: () => string} {
	let text = '';
	const stream = new Writable({
		write: (chunk: Buffer, _encoding, done) => {
			text += chunk.toString();
			done();
		},
	});
	const properties = {isTTY, columns: 100, text: () => text};
	return Object.assign(stream as unknown as NodeJS.WriteStream, properties);
}

test('on a terminal there is a bar, which goes when it is cleared', (t) => {
	const stream = recorder(true);
	const progress = createProgress(stream);
	progress.update('epoch 1/2', 3, 12, 'loss 1.234');
	t.regex(stream.text(), /epoch 1\/2 \[=+-+\] 3\/12 {2}loss 1\.234/);
	const before = stream.text().length;
	progress.clear();
	// Back to the line's start, and the line erased.
	t.true(stream.text().slice(before).includes('\u001b[2K'));
	progress.clear();
	progress.update('epoch 2/2', 1, 12, '');
	t.regex(stream.text(), /epoch 2\/2 \[=+-+\] 1\/12/);
	progress.clear();
});

test('elsewhere there are lines, seconds apart, without control characters', (t) => {
	const stream = recorder(false);
	const progress = createProgress(stream);
	for (let step = 1; step <= 1000; ++step) progress.update('epoch 1/2', step, 1000, 'loss 1.234');
	progress.clear();
	t.is(stream.text(), 'epoch 1/2 1/1000  loss 1.234\n');
	t.deepEqual(controlCharacters(stream.text()), []);
});

test('numbers read well', (t) => {
	t.is(percent(0.6534), '65.3 %');
	t.deepEqual([0.2, 42.4, 61, 3540, 12_000].map(duration), ['1 s', '42 s', '1 min', '59 min', '3 h 20 min']);
	t.deepEqual(
		[count(1, 'picture'), count(3162, 'picture'), count(2, 'class', 'classes')],
		['1 picture', '3,162 pictures', '2 classes'],
	);
	t.is(
		table(
			['trial', 'ms'],
			[
				['sgd', '17.0'],
				['inference', '9.5'],
			],
		),
		'trial        ms\nsgd        17.0\ninference   9.5',
	);
});
