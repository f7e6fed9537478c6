// The nets that arms compare differ in what they say, and in nothing else.
import test from 'ava';
import {dealtDifference} from '../../lib/experiments/measures.ts';
import {experiments} from '../../lib/experiments/experiments.ts';
import {netOf, parameters} from '../../lib/experiments/nets.ts';
import {someOf} from '../../lib/experiments/pictures.ts';
import {plannedRuns} from '../../lib/experiments/plan.ts';
import {layerShapes} from '../../lib/net/shapes.ts';
import {alexnet} from '../../lib/index.ts';

const all = Object.values(experiments);

test('the paper’s net is the preset', (t) => {
	t.deepEqual(netOf('paper', 256, 10), alexnet({classes: 10}));
	t.deepEqual(netOf('paper', 256, 10, {columns: 'half'}), alexnet({classes: 10, columns: 1}));
	t.deepEqual(
		netOf('paper', 256, 7, {lrn: false, pooling: '2/2', dropout: 0, activation: 'tanh', init: 'he'}),
		alexnet({classes: 7, lrn: false, pooling: '2/2', dropout: 0, activation: 'tanh', init: 'he'}),
	);
});

for (const base of ['paper', 'small'] as const) {
	test(`${base}: one column with as many parameters, and columns that read both everywhere`, (t) => {
		const two = netOf(base, base === 'paper' ? 256 : 32, 10);
		const whole = netOf(base, two.imageSize, 10, {columns: 'whole'});
		t.is(whole.columns, 1);
		t.true(Math.abs(parameters(whole) / parameters(two) - 1) < 0.01, `${parameters(whole)} and ${parameters(two)}`);
		t.true(parameters(netOf(base, two.imageSize, 10, {columns: 'half'})) < parameters(two));
		const both = netOf(base, two.imageSize, 10, {columns: 'both'});
		t.true(both.layers.every((layer) => !('reads' in layer) || layer.reads === 'both'));
		t.deepEqual(
			layerShapes(both, 1).map(({output}) => output),
			layerShapes(two, 1).map(({output}) => output),
		);
	});

	test(`${base}: windows that overlap and windows that do not make maps of the same size`, (t) => {
		const shapes = (['3/2', '2/2'] as const).map((pooling) =>
			layerShapes(netOf(base, base === 'paper' ? 256 : 32, 10, {pooling}), 1).map(({output}) => output),
		);
		t.deepEqual(shapes[0], shapes[1]);
	});
}

test('biases of another start change nothing but the biases', (t) => {
	const [he, mixed, paper] = [
		netOf('small', 32, 5, {init: 'he'}),
		netOf('small', 32, 5, {init: 'he', biases: 'paper'}),
		netOf('small', 32, 5, {init: 'paper'}),
	];
	const biases = ({layers}: typeof he): number[] =>
		layers.flatMap((layer) => ('initial' in layer ? layer.initial.bias : []));
	t.deepEqual(biases(mixed), biases(paper));
	t.deepEqual(biases(paper), [0, 1, 0, 1, 1, 1, 0]);
	const without = (net: typeof he): unknown =>
		JSON.parse(JSON.stringify(net, (name, value: unknown) => (name === 'bias' ? 0 : value)));
	t.deepEqual(without(mixed), without(he));
});

test('each experiment has names that differ, a first arm of its own, and runs that it can be told from', (t) => {
	t.is(all.length, 10);
	for (const {name, arms, quick, full} of all) {
		t.is(experiments[name].name, name);
		t.true(arms.length > 1 && arms[0]?.runsOf === undefined && arms[0]?.paper === undefined, name);
		t.is(new Set(arms.map((arm) => arm.name)).size, arms.length, name);
		t.true(
			arms.every(({runsOf}) => runsOf === undefined || arms.some((arm) => arm.name === runsOf)),
			name,
		);
		for (const size of [quick, full]) {
			t.true(
				size.divideAt.every((epoch) => epoch < size.epochs),
				name,
			);
			const paths = plannedRuns({arms}, size, size.seeds).map(({path}) => path);
			t.is(new Set(paths).size, paths.length, name);
		}
	}
});

test('rates are searched with a seed that is not measured, and before it', (t) => {
	const {relu} = experiments;
	const runs = plannedRuns(relu, {...relu.quick, rates: [0.1, 0.2]}, 2);
	t.deepEqual(
		runs.map(({path, seed}) => `${path} ${seed}`),
		['relu/rate-0.1 0', 'relu/rate-0.2 0', 'tanh/rate-0.1 0', 'tanh/rate-0.2 0'].concat([
			'sigmoid/rate-0.1 0',
			'sigmoid/rate-0.2 0',
			'relu/seed-1 1',
			'tanh/seed-1 1',
			'sigmoid/seed-1 1',
			'relu/seed-2 2',
			'tanh/seed-2 2',
			'sigmoid/seed-2 2',
		]),
	);
	// More seeds add runs and change none.
	const three = plannedRuns(relu, relu.quick, 3);
	t.deepEqual(plannedRuns(relu, relu.quick, 5).slice(0, three.length), three);
});

test('of many pictures each class gives its share, the same each time', (t) => {
	const labels = ['a', 'b', 'c'];
	const pictures = [...Array(100).keys()].map((place) => ({
		path: String(place),
		label: place < 60 ? 0 : place < 99 ? 1 : 2,
	}));
	const some = someOf({labels, pictures}, 20);
	const counts = labels.map((_, label) => some.filter((picture) => picture.label === label).length);
	t.deepEqual(counts, [12, 7, 1]);
	t.is(new Set(some.map(({path}) => path)).size, some.length);
	t.deepEqual(someOf({labels, pictures}, 20), some);
});

test('kernels dealt out at random differ by chance alone', async (t) => {
	t.is(await dealtDifference([0.5, 0.5, 0.5, 0.5], 1), 0);
	// Of two and two, one deal in three puts the equal ones together, with a difference of 1; the others have none.
	t.true(Math.abs((await dealtDifference([0, 0, 1, 1], 2)) - 1 / 3) < 0.08);
});
