// What an experiment says follows from its numbers alone.
import test from 'ava';
import {comparisons, sentenceOf, type Findings} from '../../lib/experiments/findings.ts';
import {deviation, interval, mean} from '../../lib/experiments/statistics.ts';
import {randomNumbers} from '../helpers/pictures.ts';

const random = randomNumbers(Math.floor(Math.random() * 2 ** 31));
const error = {title: 'held-out error', unit: 'share', missing: 'diverged'} as const;
const steps = {title: 'steps to 25 % training error', unit: 'steps', missing: 'did not reach it'} as const;

function findings(
	first: readonly (number | null)[],
	other: readonly (number | null)[],
	more: Partial<Findings> & {paper?: string} = {},
): Findings {
	const {paper = '1.4 points higher', ...rest} = more;
	const arms = [
		{title: 'with', values: first},
		{title: 'without', values: other, paper: paper === '' ? undefined : paper},
	];
	return {measure: error, expected: 'lower', arms, ...rest};
}

test('means, spreads and intervals are those of the textbook', (t) => {
	const values = Array.from({length: 2 + Math.floor(random() * 40)}, () => random() * 100 - 50);
	const middle = values.reduce((sum, value) => sum + value) / values.length;
	t.true(Math.abs(mean(values) - middle) < 1e-9);
	const variance = values.reduce((sum, value) => sum + value ** 2, 0) / values.length - middle ** 2;
	t.true(Math.abs((deviation(values) ?? NaN) ** 2 - (variance * values.length) / (values.length - 1)) < 1e-6);
	// Of 1, 2, 3: mean 2, deviation 1, t = 4.303 at two degrees of freedom.
	const [low = NaN, high = NaN] = interval([1, 2, 3]) ?? [];
	t.true(Math.abs(low - (2 - 4.303 / Math.sqrt(3))) < 1e-9 && Math.abs(high - (2 + 4.303 / Math.sqrt(3))) < 1e-9);
	t.is(deviation([1]), undefined);
	t.is(interval([1]), undefined);
	const width = (count: number): number => {
		const [from = NaN, to = NaN] = interval(Array.from({length: count}, (_, index) => index % 2)) ?? [];
		return to - from;
	};
	t.true(width(31) > width(32) - 1e-2 && width(100) < width(32), 'more seeds, a narrower interval');
});

test('a difference beyond the spread agrees with the paper, and the reverse of it is called so', (t) => {
	const base = Array.from({length: 4}, () => 0.2 + 0.1 * random());
	const worse = base.map((value) => value + 0.02 + 0.002 * random());
	const agreeing = sentenceOf(findings(base, worse));
	t.regex(
		agreeing,
		/^Held-out error: with \d\d\.\d % ± \d\.\d \(4 seeds\), without .*; without against with: 2\.\d points higher/,
	);
	t.regex(agreeing, /exceeds the spread over the seeds and agrees with the paper in direction\.$/);
	const reversed = sentenceOf(findings(worse, base));
	t.regex(reversed, /2\.\d points lower, 95 % interval −\d\.\d to −\d\.\d, which exceeds the spread/);
	t.regex(reversed, /the reverse of the paper's direction \(the paper has with lower\)\.$/);
	t.like(comparisons(findings(base, worse))[0], {verdict: 'exceeds', agrees: true});
	t.like(comparisons(findings(worse, base))[0], {verdict: 'exceeds', agrees: false});
	// Where the paper has the first arm higher, it is the other way about.
	t.like(comparisons(findings(base, worse, {expected: 'higher'}))[0], {agrees: false});
	t.like(comparisons(findings(worse, base, {expected: 'higher'}))[0], {agrees: true});
});

test('a difference within the spread is called so, whichever direction it has', (t) => {
	for (const sign of [1, -1]) {
		const base = Array.from({length: 3}, () => 0.3);
		const other = [0.3 + 0.05 * sign, 0.3 - 0.03 * sign, 0.3 + 0.01 * sign];
		const sentence = sentenceOf(findings(base, other));
		t.regex(
			sentence,
			new RegExp(`1\\.0 points ${sign > 0 ? 'higher' : 'lower'}, 95 % interval −\\d+\\.\\d to \\d+\\.\\d`),
		);
		t.regex(sentence, /which is within the spread over the seeds, so it neither supports nor contradicts the paper\.$/);
		t.notRegex(sentence, /agrees|reverse/);
	}
	t.regex(sentenceOf(findings([0.1, 0.1, 0.1], [0.1, 0.1, 0.1])), /no difference, .*within the spread/);
});

test('pairs over the same seeds decide, not the spread of each arm', (t) => {
	const base = [0.1, 0.3, 0.5];
	t.is(
		comparisons(
			findings(
				base,
				base.map((value) => value + 0.01),
			),
		)[0]?.verdict,
		'exceeds',
	);
	t.is(comparisons(findings(base, [0.32, 0.5, 0.11]))[0]?.verdict, 'within');
});

test('with one seed nothing is said of the spread', (t) => {
	const sentence = sentenceOf(findings([0.2], [0.25]));
	t.is(
		sentence,
		'Held-out error: with 20.0 % (1 seed), without 25.0 % (1 seed); without against with: 5.0 points higher, and with one seed nothing can be said of the spread.',
	);
	t.is(comparisons(findings([0.2], [0.25]))[0]?.agrees, undefined);
});

test('an arm of which the paper says nothing neither agrees nor contradicts', (t) => {
	const sentence = sentenceOf(findings([0.2, 0.21, 0.2], [0.3, 0.31, 0.3], {paper: ''}));
	t.regex(sentence, /exceeds the spread over the seeds; of this the paper says nothing\.$/);
	t.regex(sentenceOf(findings([0.2, 0.3], [0.3, 0.2], {paper: ''})), /within the spread over the seeds\.$/);
});

test('steps are told as such, and how many times as many', (t) => {
	const sentence = sentenceOf(findings([100, 110, 120], [400, 420, 444], {measure: steps}));
	t.regex(
		sentence,
		/^Steps to 25 % training error: with 110 steps ± 10 \(3 seeds\), without 421 steps ± 22 \(3 seeds\); /,
	);
	t.regex(sentence, /311 steps higher \(3\.8 times as many\), 95 % interval 2\d\d to 3\d\d, .*agrees with the paper/);
});

test('what is not reached is never a number', (t) => {
	const none = sentenceOf(findings([100, 110], [null, null], {measure: steps}));
	t.regex(
		none,
		/without did not reach it \(2 seeds\); without did not reach it in 2 of 2 seeds, which has the paper's direction, but by how much cannot be told\.$/,
	);
	const reversed = sentenceOf(findings([null, null], [100, 110], {measure: steps}));
	t.regex(
		reversed,
		/with did not reach it in 2 of 2 seeds, the reverse of the paper's direction, but by how much cannot be told\.$/,
	);
	const some = sentenceOf(findings([100, 110], [null, 300], {measure: steps}));
	t.regex(
		some,
		/without 300 steps \(2 seeds; 1 did not reach it\); without did not reach it in 1 of 2 seeds, so that no difference can be told\.$/,
	);
	t.regex(
		sentenceOf(findings([null], [null], {measure: steps})),
		/with did not reach it in 1 of 1 seed and without .*no difference can be told/,
	);
	t.like(comparisons(findings([100, 110], [null, 300]))[0], {verdict: 'incomplete'});
	t.notRegex([none, reversed, some].join(), /NaN|Infinity|undefined|null/);
});

test('several arms are compared with the first, in one sentence', (t) => {
	const arms = [
		{title: 'a', values: [0.1, 0.11]},
		{title: 'b', values: [0.2, 0.21], paper: 'higher'},
		{title: 'c', values: [0.1, 0.12]},
	];
	const sentence = sentenceOf({measure: error, expected: 'lower', arms});
	t.regex(sentence, /b against a: .*; c against a: /);
	t.is(sentence.match(/\. |\.$/g)?.length, 1);
});
