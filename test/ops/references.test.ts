// The definitions that the devices are compared with: each backward pass against finite differences of its own forward
// pass, in double precision and on random shapes, and a few values known beforehand. Needs no device.
import test from 'ava';
import {philox} from '../../lib/base/random.ts';
import {assertGradient, dot} from '../helpers/finite-differences.ts';
import {atOnce} from '../helpers/at-once.ts';
import type {RealType} from '../../lib/selftest/bfloat16.ts';
import {Random} from '../../lib/selftest/random.ts';
import {nonlinearities} from '../../lib/device/operations.ts';
import {activate, activateBackward} from '../../lib/selftest/reference/activate.ts';
import {
	conv2d,
	conv2dBackwardInput,
	conv2dBackwardWeights,
	convOutputShape,
	convWeightShape,
	product,
	type ConvGeometry,
} from '../../lib/selftest/reference/conv2d.ts';
import {linear, linearBackwardInput, linearBackwardWeights} from '../../lib/selftest/reference/linear.ts';
import {lrn, lrnBackward} from '../../lib/selftest/reference/lrn.ts';
import {lrnMaxPool, lrnMaxPoolBackward, undecided} from '../../lib/selftest/reference/lrn-max-pool.ts';
import {maxPool, maxPoolBackward, poolOutputShape, winners} from '../../lib/selftest/reference/max-pool.ts';
import {permute} from '../../lib/selftest/reference/permute.ts';
import {dropoutMask} from '../../lib/selftest/reference/draws.ts';
import {softmax, softmaxLoss, softmaxLossGradient} from '../../lib/selftest/reference/softmax-loss.ts';

const draw = (random: Random, length: number): Float64Array =>
	Float64Array.from({length}, () => 2 * random.uniform() - 1);

test('conv2d of a picture worked by hand', (t) => {
	const geometry: ConvGeometry = {input: [1, 2, 2, 1], window: [1, 2, 2], stride: 1, pads: [0, 0, 1, 1], groups: 1};
	const {values} = atOnce(
		conv2d(geometry, Float64Array.of(1, 2, 3, 4), Float64Array.of(10, 100, 1000, 10_000), Float64Array.of(5)),
	);
	t.deepEqual(values, Float64Array.of(43_215, 4025, 435, 45));
});

test('conv2d with stride, four pads and groups: gradients', (t) => {
	const random = new Random(t.title);
	for (let trial = 0; trial < 8; trial++) {
		const groups = 1 + random.integer(2);
		const geometry: ConvGeometry = {
			input: [1 + random.integer(2), 3 + random.integer(3), 3 + random.integer(3), groups * (1 + random.integer(2))],
			window: [groups * (1 + random.integer(2)), 1 + random.integer(3), 1 + random.integer(3)],
			stride: 1 + random.integer(3),
			pads: [random.integer(3), random.integer(3), random.integer(3), random.integer(3)],
			groups,
		};
		const input = draw(random, product(geometry.input));
		const weights = draw(random, product(convWeightShape(geometry)));
		const bias = draw(random, geometry.window[0]);
		const gradient = draw(random, product(convOutputShape(geometry)));
		const loss = (x: Float64Array, w: Float64Array, b: Float64Array) =>
			dot(atOnce(conv2d(geometry, x, w, b)).values, gradient);
		const {weightGradient, biasGradient} = atOnce(conv2dBackwardWeights(geometry, input, gradient));
		const inputGradient = atOnce(conv2dBackwardInput(geometry, gradient, weights));
		assertGradient(t, 'input', (x) => loss(x, weights, bias), input, inputGradient.values);
		assertGradient(t, 'weights', (w) => loss(input, w, bias), weights, weightGradient.values);
		assertGradient(t, 'bias', (b) => loss(input, weights, b), bias, biasGradient.values);
	}
});

test('linear: gradients', (t) => {
	const random = new Random(t.title);
	for (const geometry of [
		[1, 1, 1],
		[3, 5, 4],
		[2, 7, 1],
	] as const) {
		const [images, inputs, outputs] = geometry;
		const input = draw(random, images * inputs);
		const weights = draw(random, outputs * inputs);
		const bias = draw(random, outputs);
		const gradient = draw(random, images * outputs);
		const loss = (x: Float64Array, w: Float64Array, b: Float64Array) =>
			dot(atOnce(linear(geometry, x, w, b)).values, gradient);
		const {weightGradient, biasGradient} = atOnce(linearBackwardWeights(geometry, input, gradient));
		const inputGradient = atOnce(linearBackwardInput(geometry, gradient, weights));
		assertGradient(t, 'input', (x) => loss(x, weights, bias), input, inputGradient.values);
		assertGradient(t, 'weights', (w) => loss(input, w, bias), weights, weightGradient.values);
		assertGradient(t, 'bias', (b) => loss(input, weights, b), bias, biasGradient.values);
	}
});

for (const activation of nonlinearities) {
	test(`${activation}: gradient`, (t) => {
		const random = new Random(t.title);
		const input = random.distinct(31, 0.1);
		const gradient = draw(random, 31);
		const forward = (x: Float64Array) => x.map((value) => activate(activation, value));
		const {values} = activateBackward(activation, forward(input), gradient);
		assertGradient(t, 'input', (x) => dot(forward(x), gradient), input, values);
	});
}

test('lrn with one and two columns: gradient', (t) => {
	const random = new Random(t.title);
	for (const columns of [1, 2]) {
		for (const [channels, size] of [
			[2, 5],
			[8, 3],
			[12, 5],
		] as const) {
			const options = {columns, size, alpha: 0.3, beta: 0.75, k: 1 + random.uniform()};
			const input = draw(random, 3 * channels).map((x) => 2 * x);
			const gradient = draw(random, 3 * channels);
			const {values} = lrnBackward(options, channels, input, gradient);
			assertGradient(t, 'input', (x) => dot(lrn(options, channels, x).values, gradient), input, values);
		}
	}
});

test('lrn of one pixel worked by hand: columns do not see each other, alpha is not divided', (t) => {
	const options = {columns: 2, size: 3, alpha: 0.5, beta: 1, k: 2};
	const {values} = lrn(options, 4, Float64Array.of(1, 2, 4, 6));
	t.deepEqual(values, Float64Array.of(1 / 4.5, 2 / 4.5, 4 / 28, 6 / 28));
});

test('maxPool: gradient', (t) => {
	const random = new Random(t.title);
	for (const [size, stride] of [
		[3, 2],
		[2, 2],
		[3, 1],
		[1, 2],
	] as const) {
		const shape = [2, size + random.integer(5), size + random.integer(5), 1 + random.integer(3)] as const;
		const input = random.distinct(product(shape), 0.01);
		const gradient = draw(random, product(poolOutputShape(shape, {size, stride})));
		const {values} = maxPoolBackward(shape, {size, stride}, input, gradient);
		assertGradient(t, 'input', (x) => dot(maxPool(shape, {size, stride}, x), gradient), input, values);
		const relu = (x: Float64Array): Float64Array => x.map((value) => activate('relu', value));
		const below = maxPoolBackward(shape, {size, stride}, relu(input), gradient, 'relu');
		assertGradient(t, 'x', (x) => dot(maxPool(shape, {size, stride}, relu(x)), gradient), input, below.values);
	}
});

test('lrnMaxPool, with a ReLU below and without: gradient', (t) => {
	const random = new Random(t.title);
	for (const activation of ['none', 'relu'] as const) {
		for (const [size, stride] of [
			[3, 2],
			[2, 2],
			[3, 1],
		] as const) {
			const shape = [2, size + random.integer(4), size + random.integer(4), 6] as const;
			const lrnOptions = {columns: 2, size: 3, alpha: 0.3, beta: 0.75, k: 1 + random.uniform()};
			const geometry = {shape, lrn: lrnOptions, pool: {size, stride}};
			const input = random.distinct(product(shape), 0.01);
			const outputs = product(poolOutputShape(shape, {size, stride}));
			// Sums of few of them are exact in fp32, to which the gradients between the two are rounded.
			const gradient = draw(random, outputs).map((value) => Math.round(value * 1024) / 1024);
			const activated = (x: Float64Array): Float64Array => x.map((value) => activate(activation, value));
			const {values} = lrnMaxPoolBackward('float32', geometry, activation, activated(input), gradient);
			const loss = (x: Float64Array): number => dot(lrnMaxPool(geometry, activated(x)).values, gradient);
			assertGradient(t, 'input', loss, input, values);
		}
	}
});

test('lrnMaxPool pools what is rounded: of values that round to the same the first wins, and rounding may not decide', (t) => {
	const geometry = {
		shape: [1, 2, 2, 1],
		lrn: {size: 1, alpha: 0, beta: 1, k: 1},
		pool: {size: 2, stride: 1},
	} as const;
	const gradientOf = (type: RealType, second: number): Float64Array =>
		lrnMaxPoolBackward(type, geometry, 'none', Float64Array.of(1, second, 0, 0), Float64Array.of(1)).values;
	t.deepEqual(gradientOf('bfloat16', 1.001), Float64Array.of(1, 0, 0, 0)); // 1.001 is 1 in bf16
	t.deepEqual(gradientOf('float32', 1.001), Float64Array.of(0, 1, 0, 0));
	const undecidedWith = (type: RealType, second: number): number[] =>
		[...undecided(type, geometry, Float64Array.of(1, second, 0, 0))].toSorted();
	t.deepEqual(undecidedWith('float32', 1.001), []);
	t.deepEqual(undecidedWith('float32', 1), []);
	t.deepEqual(undecidedWith('float32', 1 + 1e-7), [0, 1]);
	t.deepEqual(undecidedWith('bfloat16', 1.001), []);
	t.deepEqual(undecidedWith('bfloat16', 1 + 2 ** -8 + 1e-8), [0, 1]); // where 1 ends and the next bf16 number begins
});

test('maxPool takes the first of equal maxima, row by row', (t) => {
	t.deepEqual(winners([1, 2, 2, 1], {size: 2, stride: 2}, Float64Array.of(-3, -1, -1, -1)), Int32Array.of(1));
});

test('softmaxLoss: gradient of the mean loss; probabilities sum to one', (t) => {
	const random = new Random(t.title);
	for (const [images, classes] of [
		[1, 1],
		[3, 7],
		[2, 10],
	] as const) {
		const logits = draw(random, images * classes).map((z) => 4 * z);
		const labels = Int32Array.from({length: images}, () => random.integer(classes));
		const mean = (z: Float64Array) => softmaxLoss(z, labels, classes).loss / images;
		assertGradient(t, 'logits', mean, logits, softmaxLossGradient(logits, labels, classes).values);
		const total = softmax(logits, classes).reduce((a, b) => a + b);
		t.true(Math.abs(total - images) < 1e-12);
	}
});

test('permute worked by hand', (t) => {
	const {shape, values} = permute([1, 2, 1, 3], [0, 3, 1, 2], Float64Array.of(1, 2, 3, 4, 5, 6));
	t.deepEqual(shape, [1, 3, 2, 1]);
	t.deepEqual(values, Float64Array.of(1, 4, 2, 5, 3, 6));
});

test('philox gives the known answers published with Random123', (t) => {
	const ones = 0xffffffff;
	t.deepEqual(philox(0n, [0, 0, 0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
	t.deepEqual(philox(0xffffffff_ffffffffn, [ones, ones, ones, ones]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
	t.deepEqual(
		philox(0x299f31d0_a4093822n, [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]),
		[0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
	);
});

test('the dropout mask of a half is a half of the mask', (t) => {
	const draws = {rate: 0.5, seed: 7n, step: 3, layer: 6, features: 10};
	const whole = dropoutMask(3, 10, {...draws, offset: 0});
	const right = dropoutMask(3, 5, {...draws, offset: 5});
	t.deepEqual(
		right,
		whole.filter((_, i) => i % 10 >= 5),
	);
});
