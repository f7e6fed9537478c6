// What an operation refuses. From one call that works, calls are made that differ from it in one thing, and each must
// throw at once, with the right code and a message that names the operation and the field.
import {openDevice} from '../../lib/device/device.ts';
import type {Operations} from '../../lib/device/operations.ts';
import type {DataType, Shape, Tensor} from '../../lib/device/tensor.ts';
import {operations} from '../../lib/ops.ts';
import {forEachDevice} from './devices.ts';
import type {Workbench} from '../../lib/selftest/workbench.ts';

type Options = Record<string, unknown>;

/** Makes a tensor of positive numbers, fp32 unless told otherwise. */
export type Make = (shape: Shape, dataType?: DataType) => Tensor;

export interface Refusal {
	change: (make: Make) => Options;
	code: string;
	message: RegExp;
}

export interface Subject {
	/** The tensors of a call that works. */
	tensors: (make: Make) => Record<string, Tensor>;
	/** Its other options. */
	options?: Options;
	/** Tensors that may be left out. */
	optional?: readonly string[];
	/** Tensors that may have any shape, or any type, on their own. */
	anyShape?: readonly string[];
	anyType?: readonly string[];
	/** Whether its tensors may be on several devices. */
	acrossDevices?: true;
	/** From tensors and options to what the operation takes, where these are not its fields. */
	arrange?: (options: Options) => Options;
	/** What else is refused. */
	refused?: readonly Refusal[];
}

const changed = (change: Options | ((make: Make) => Options)): Refusal['change'] =>
	typeof change === 'function' ? change : () => change;

export const badArgument = (change: Options | ((make: Make) => Options), message: RegExp): Refusal => ({
	change: changed(change),
	code: 'ALEXNET_ARGUMENT',
	message,
});
export const badShape = (change: Options | ((make: Make) => Options), message: RegExp): Refusal => ({
	change: changed(change),
	code: 'ALEXNET_SHAPE',
	message,
});
export const badType = (change: Options | ((make: Make) => Options), message: RegExp): Refusal => ({
	change: changed(change),
	code: 'ALEXNET_DATA_TYPE',
	message,
});

const otherType = {float32: 'int32', bfloat16: 'int32', int32: 'float32', uint8: 'float32'} as const;

/** What is wrong with every tensor alike: its absence, its type, its shape, its end. */
function refusalsOfTensor(subject: Subject, field: string, tensor: Tensor): Refusal[] {
	const {shape, dataType} = tensor;
	const notATensor = new RegExp(`${field} must be a tensor`);
	const list = [badArgument({[field]: 'a string'}, notATensor), badArgument({[field]: {shape}}, notATensor)];
	if (!subject.optional?.includes(field)) list.push(badArgument({[field]: undefined}, notATensor));
	if (!subject.anyType?.includes(field)) {
		list.push(badType((make) => ({[field]: make(shape, otherType[dataType])}), /: \w+ must be [\w ]+, got \w+\.$/));
	}
	if (!subject.anyShape?.includes(field)) {
		const wider = [...shape.slice(0, -1), shape.at(-1)! + 1];
		const deeper = shape.length < 4 ? [...shape, 1] : [shape.reduce((a, b) => a * b)];
		list.push(badShape((make) => ({[field]: make(wider, dataType)}), /: \w+ must .*, got \[|must divide|does not fit/));
		list.push(badShape((make) => ({[field]: make(deeper, dataType)}), /: \w+ must .*, got \[/));
	}
	const disposed = (make: Make): Options => {
		const gone = make(shape, dataType);
		gone.dispose();
		return {[field]: gone};
	};
	list.push({change: disposed, code: 'ALEXNET_DISPOSED', message: new RegExp(`: ${field} `)});
	return list;
}

function makerOf(bench: Workbench): Make {
	return (shape, dataType = 'float32') => {
		const length = shape.reduce((a, b) => a * b, 1);
		return bench.inPlace(
			shape,
			dataType,
			Uint8Array.from({length}, () => bench.random.integer(2)),
		);
	};
}

/** Defines the test of what an operation refuses, on every device. */
export function testRefusals(name: keyof Operations, subject: Subject): void {
	const operation = (options: unknown): void =>
		(operations as unknown as Record<string, (o: unknown) => void>)[name]!(options);
	const {arrange = (options: Options) => options} = subject;

	forEachDevice(`${name} refuses wrong tensors and options`, async (t, bench) => {
		const make = makerOf(bench);
		const tensors = subject.tensors(make);
		const call = (change: Options): void => operation(arrange({...tensors, ...subject.options, ...change}));
		t.notThrows(() => {
			call({});
		});
		await t.notThrowsAsync(bench.device.synchronize());

		const elsewhere = openDevice(bench.device.id);
		const moved = Object.entries(tensors).slice(subject.acrossDevices ? Infinity : 1);
		const refused = [
			...Object.entries(tensors).flatMap(([field, tensor]) => refusalsOfTensor(subject, field, tensor)),
			...moved.map(([field, {shape, dataType}]): Refusal => {
				const change = (): Options => ({[field]: elsewhere.allocate(shape, dataType)});
				return {change, code: 'ALEXNET_DEVICE', message: /: \w+ is on /};
			}),
			badArgument({strides: 1}, /there is no field 'strides'. There are: \w+, /),
			...(subject.refused ?? []),
		];
		for (const {change, code, message} of refused) {
			const made = change(make);
			const error = t.throws(() => call(made), {code}, `${Object.keys(made).join(', ')}: ${message.source}`);
			t.regex(error.message, new RegExp(`^${name}: `));
			t.regex(error.message, message);
		}
		t.throws(() => operation(undefined), {code: 'ALEXNET_ARGUMENT', message: `${name} takes an options object.`});
		elsewhere.close();
	});
}
