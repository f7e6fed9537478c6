// What `train` says of the classes before it begins.
import test from 'ava';
import {describeClasses} from '../../cli/train-run.ts';
import {Dataset} from '../../lib/index.ts';

/** Of files that are not there: counting must not touch them. */
function sourceOf(labels: readonly string[], counts: readonly number[]): Dataset {
	const pictures = counts.flatMap((count, label) =>
		Array.from({length: count}, (_, index) => ({path: `none/${labels[label]}/${index}.jpg`, label})),
	);
	return new Dataset({labels, pictures});
}

test('each class with what is trained on and held out, in the order of the labels', (t) => {
	const labels = ['cat', 'dog'];
	const data = {train: sourceOf(labels, [2, 1200]), validation: sourceOf(labels, [0, 3])};
	t.is(describeClasses(data), 'Classes: cat 2 + 0, dog 1,200 + 3 (trained on + held out).');
});

test('of many classes the first are named', (t) => {
	const labels = Array.from({length: 14}, (_, index) => `c${index}`);
	const counts = labels.map(() => 1);
	const words = describeClasses({train: sourceOf(labels, counts), validation: sourceOf(labels, [])});
	t.regex(words, /^Classes: c0 1 \+ 0, .*, c11 1 \+ 0 and 2 others \(trained on \+ held out\)\.$/);
});
