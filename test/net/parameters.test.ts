// What the paper's net is made of: how many parameters, of which shapes, and how they start.
import test from 'ava';
import {alexnet} from '../../lib/net/alexnet.ts';
import {Model} from '../../lib/net/model.ts';

/** Paper, figure 2, as PyTorch orders it: layer, weights, inputs of a unit, parameters. */
const layers: readonly (readonly [string, readonly number[], number, number])[] = [
	['conv1', [96, 3, 11, 11], 363, 34_944],
	['conv2', [256, 48, 5, 5], 1200, 307_456],
	['conv3', [384, 256, 3, 3], 2304, 885_120],
	['conv4', [384, 192, 3, 3], 1728, 663_936],
	['conv5', [256, 192, 3, 3], 1728, 442_624],
	['fc6', [4096, 9216], 9216, 37_752_832],
	['fc7', [4096, 4096], 4096, 16_781_312],
	['fc8', [1000, 4096], 4096, 4_097_000],
];

const ones = new Set(['conv2', 'conv4', 'conv5', 'fc6', 'fc7']);
const starts: Readonly<
	Record<'paper' | 'source2012' | 'he', (layer: string, inputs: number) => {deviation: number; bias: number}>
> = {
	paper: (layer) => ({deviation: 0.01, bias: ones.has(layer) ? 1 : 0}),
	source2012: (layer) => ({
		deviation: ['conv3', 'conv4', 'conv5'].includes(layer) ? 0.03 : 0.01,
		bias: ones.has(layer) ? 1 : 0,
	}),
	he: (layer, inputs) => ({deviation: ['conv1', 'fc8'].includes(layer) ? 0.01 : 0.6 / Math.sqrt(inputs), bias: 0}),
};

for (const init of ['paper', 'source2012', 'he'] as const) {
	test.serial(`the net has its 60,965,224 parameters, started as ${init} says`, async (t) => {
		const labels = Array.from({length: 1000}, (_, index) => `class ${index}`);
		await using model = new Model({architecture: alexnet({classes: 1000, init}), labels, seed: 7});
		const count = (prefix: string): number =>
			model.parameters
				.filter(({name}) => name.startsWith(prefix))
				.reduce((sum, {shape}) => sum + shape.reduce((product, length) => product * length), 0);
		t.deepEqual(
			model.parameters.map(({name, shape}) => [name, [...shape]]),
			layers.flatMap(([name, shape]) => [
				[`${name}.weight`, [...shape]],
				[`${name}.bias`, shape.slice(0, 1)],
			]),
		);
		for (const [name, , , parameters] of layers) t.is(count(`${name}.`), parameters, name);
		t.is(count(''), 60_965_224);

		await model.initialize();
		const values = await model.getParameters();
		let previous: Float32Array = new Float32Array();
		for (const [name, , inputs] of layers) {
			const {deviation, bias} = starts[init](name, inputs);
			t.true(
				values.get(`${name}.bias`)!.every((value) => value === bias),
				`${name}.bias is ${bias}`,
			);
			const weights = values.get(`${name}.weight`)!;
			for (const [statistic, errors] of Object.entries(normality(weights, deviation))) {
				t.true(Math.abs(errors) < 5, `${name}.weight: ${statistic} is ${errors} standard errors off`);
			}
			t.true(Math.abs(correlation(weights, previous)) < 5, `${name}.weight repeats the layer before`);
			previous = weights;
		}
	});
}

/** By how many standard errors n draws miss what N(0, deviation) leads one to expect; beyond 5 once in 2 million. */
function normality(draws: Float32Array, deviation: number): Record<string, number> {
	let [sum, squares, within] = [0, 0, 0];
	for (let index = 0; index < draws.length; ++index) {
		const z = draws[index]! / deviation;
		sum += z;
		squares += z * z;
		if (Math.abs(z) < 1) ++within;
	}
	const n = draws.length;
	const share = 0.682689492; // of a normal distribution within one deviation
	return {
		mean: sum / Math.sqrt(n),
		variance: (squares - n) / Math.sqrt(2 * n),
		'share within one deviation': (within - share * n) / Math.sqrt(share * (1 - share) * n),
	};
}

/** Correlation of two layers' first weights in standard errors; 0 where one is empty. */
function correlation(a: Float32Array, b: Float32Array): number {
	const n = Math.min(a.length, b.length);
	let [products, squaresA, squaresB] = [0, 0, 0];
	for (let index = 0; index < n; ++index) {
		products += a[index]! * b[index]!;
		squaresA += a[index]! ** 2;
		squaresB += b[index]! ** 2;
	}
	return n === 0 ? 0 : (products / Math.sqrt(squaresA * squaresB)) * Math.sqrt(n);
}
