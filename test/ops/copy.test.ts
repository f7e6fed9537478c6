import type {ExecutionContext} from 'ava';
import type {NativeDevice} from '../../lib/device/native-device.ts';
import type {DeviceEvent, Tensor} from '../../lib/device/tensor.ts';
import {operations} from '../../lib/ops.ts';
import {forEachPair} from '../helpers/devices.ts';
import {queueFailure, queueWork} from '../helpers/queue-work.ts';
import {badType, testRefusals} from '../helpers/refusals.ts';
import {assertEqual} from '../helpers/tolerance.ts';
import {Workbench} from '../../lib/selftest/workbench.ts';
import {testCases} from '../helpers/cases.ts';

const dataTypes = ['float32', 'bfloat16', 'int32', 'uint8'] as const;
testCases('copy');

testRefusals('copy', {
	tensors: (make) => ({input: make([3, 5]), output: make([3, 5])}),
	acrossDevices: true,
	refused: [badType((make) => ({input: make([3, 5], 'bfloat16')}), /output must be bfloat16, got float32/)],
});

forEachPair('copy across devices', async (t, devices) => {
	for (const [from, to] of [devices, devices.toReversed()] as [NativeDevice, NativeDevice][]) {
		for (const dataType of dataTypes) {
			for (const misaligned of [false, true]) {
				const source = new Workbench(from, t.title, {misaligned});
				const destination = new Workbench(to, t.title, {misaligned});
				const values = Float64Array.from({length: 3 * 41}, () => 1 + source.random.integer(255));
				const output = destination.output([3, 41], dataType);
				operations.copy({input: source.input([3, 41], dataType, values), output});
				assertEqual(t, dataType, await destination.read(output), values);
				t.deepEqual(await source.finish(), []);
				t.deepEqual(await destination.finish(), []);
			}
		}
	}
});

/** Checks [rounds, length] numbers of which each row must hold its round's number from a side, plus `added`. */
async function assertRounds(t: ExecutionContext, collected: Tensor, from: number, added: number): Promise<void> {
	const [rounds, length] = collected.shape as [number, number];
	const received = new Float32Array(rounds * length);
	await collected.read(received);
	const wrong = received.findIndex((value, i) => value !== 2 * Math.floor(i / length) + from + added);
	t.is(wrong, -1, `from device ${from}: element ${wrong} is ${received[wrong]!}`);
}

// Each device sends its round's number and at once overwrites what it sent; each collects what it received. So the data
// may neither leave too late (the number is gone) nor be used too early (it has not arrived).
forEachPair('exchanges in both directions keep their order and do not block each other', async (t, devices) => {
	const rounds = 300;
	const length = 5000;
	const sides = devices.map((device) => ({
		outgoing: device.allocate([length], 'float32'),
		landing: device.allocate([length], 'float32'),
		collected: device.allocate([rounds, length], 'float32'),
	}));
	for (let round = 0; round < rounds; round++) {
		sides.forEach(({outgoing}, side) => operations.fill({output: outgoing, value: 2 * round + side}));
		// Turn and turn about, so that neither direction always comes first.
		for (const side of round % 2 === 0 ? [0, 1] : [1, 0]) {
			operations.copy({input: sides[side]!.outgoing, output: sides[1 - side]!.landing});
		}
		for (const {outgoing, landing, collected} of sides) {
			operations.fill({output: outgoing, value: -1});
			const row = collected.view([length], 'float32', round * length * 4);
			operations.copy({input: landing, output: row});
			operations.fill({output: landing, value: -2});
		}
	}
	for (const [side, {collected}] of sides.entries()) await assertRounds(t, collected, 1 - side, 0);
});

// The same with send(): what is queued between the copy and the wait may run beside the copy, and touches neither tensor.
forEachPair(
	'sends arrive before what waits for them, and leave before what was sent is overwritten',
	async (t, devices) => {
		const rounds = 100;
		const length = 50_000;
		const sides = devices.map((device) => ({
			device,
			outgoing: device.allocate([length], 'float32'),
			landing: device.allocate([length], 'float32'),
			own: device.allocate([length], 'float32'),
			collected: device.allocate([rounds, length], 'float32'),
		}));
		for (let round = 0; round < rounds; round++) {
			sides.forEach(({outgoing}, side) => operations.fill({output: outgoing, value: 2 * round + side}));
			const events = [0, 1].map((side) =>
				operations.send({input: sides[side]!.outgoing, output: sides[1 - side]!.landing}),
			);
			for (const {device, outgoing, landing, own, collected} of sides) {
				operations.fill({output: own, value: 0.25});
				for (const event of events) device.wait(event);
				operations.fill({output: outgoing, value: -1});
				const row = collected.view([length], 'float32', round * length * 4);
				operations.add({input: landing, addend: own, output: row});
				operations.fill({output: landing, value: -2});
			}
		}
		for (const [side, {collected}] of sides.entries()) await assertRounds(t, collected, 1 - side, 0.25);
	},
);

forEachPair('send and wait refuse what cannot be meant', (t, [first, second]) => {
	const [input, near] = [0, 1].map(() => first.allocate([4], 'float32')) as [Tensor, Tensor];
	const far = second.allocate([5], 'float32');
	t.throws(() => operations.send({input, output: near}), {code: 'ALEXNET_DEVICE', message: /^send: .* Use copy\.$/});
	t.throws(() => operations.send({input, output: far}), {code: 'ALEXNET_SHAPE', message: /must be \[4\], got \[5\]/});
	for (const event of [undefined, {}, 1]) {
		t.throws(() => first.wait(event as unknown as DeviceEvent), {
			code: 'ALEXNET_ARGUMENT',
			message: /^wait takes an event/,
		});
	}
	return Promise.resolve();
});

function readNumber(tensor: Tensor): Promise<number> {
	const destination = new Float32Array(1);
	return tensor.read(destination).then(() => destination[0]!);
}

for (const failing of [0, 1]) {
	forEachPair(
		`when ${failing === 0 ? 'the source' : 'the destination'} has failed, both say so`,
		async (t, devices) => {
			const [input, output] = devices.map((device) => device.allocate([1], 'float32')) as [Tensor, Tensor];
			operations.fill({output: input, value: 5});
			operations.fill({output, value: 6});
			queueFailure(devices[failing]!);
			operations.copy({input, output});
			const [culprit, other] = [devices[failing]!, devices[1 - failing]!];
			const messages = await Promise.all([
				t.throwsAsync(culprit.synchronize(), {code: 'ALEXNET_LABEL'}),
				t.throwsAsync(other.synchronize(), {code: 'ALEXNET_PEER'}),
			]);
			t.regex(messages[0].message, /^softmaxLoss: /);
			t.regex(messages[1].message, /^copy: /);
			t.is(await readNumber(output), 6, 'nothing was copied');
			operations.copy({input, output});
			t.is(await readNumber(output), 5, 'both devices work again');
		},
	);
}

forEachPair('a copy to a closed device is refused, and the source goes on', async (t, devices) => {
	const [input, output] = devices.map((device) => device.allocate([1], 'float32')) as [Tensor, Tensor];
	operations.fill({output: input, value: 5});
	devices[1].close();
	t.throws(() => operations.copy({input, output}), {code: 'ALEXNET_DISPOSED'});
	t.is(await readNumber(input), 5);
});

// What a device has not begun when it is closed never happens. A GPU has begun what was launched, and launches run ahead of
// the work: only a read holds them up until all before it is done.
forEachPair('a device that is closed while another waits for it releases the other', async (t, devices) => {
	const [input, output] = devices.map((device) => device.allocate([1], 'float32')) as [Tensor, Tensor];
	operations.fill({output: input, value: 5});
	operations.fill({output, value: 6});
	await devices[1].synchronize();
	queueWork(devices[0], 200);
	const held = readNumber(input);
	operations.copy({input, output});
	const waiting = devices[1].synchronize();
	devices[0].close();
	const [, result] = await Promise.allSettled([held, waiting]);
	t.like(result, {status: 'rejected', reason: {code: 'ALEXNET_PEER'}});
	t.regex(String((result as PromiseRejectedResult).reason), /: copy: /);
	t.is(await readNumber(output), 6, 'nothing was copied');
});
