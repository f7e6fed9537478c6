// What torch.save writes: a zip of a pickle and the tensors' elements.
import {shortened} from '../base/check.ts';
import {elementsOf} from '../device/memory.ts';
import type {FileTensor} from './net-builder.ts';
import {PickledTensor, unpickled} from './pickle.ts';
import {floatsOf} from './tensor-bytes.ts';
import {readZip} from './zip.ts';

/** Names and places of a few dozen tensors are a few kilobytes. */
const longestPickle = 2 ** 20;

/** The tensors of a state dict by name; it may lie in a dictionary of other things, under `state_dict`. */
export function readPth(bytes: Buffer): Map<string, FileTensor> {
	const entries = readZip(bytes);
	const pickle = [...entries].find(([name]) => name.endsWith('/data.pkl'));
	if (!pickle) throw new Error('it is a zip file, but none that torch.save writes: it has no data.pkl');
	const [name, program] = pickle;
	if (program.length > longestPickle)
		throw new Error(`${name} has ${program.length} bytes, where names have ${longestPickle} at most`);
	const order = entries.get(name.replace(/data\.pkl$/, 'byteorder'))?.toString() ?? 'little';
	if (order !== 'little') throw new Error('its numbers are big-endian');
	const whole = unpickled(program);
	const tensors = new Map<string, FileTensor>();
	for (const [key, tensor] of dictionary(dictionary(whole).get('state_dict') ?? whole)) {
		if (typeof key !== 'string' || !(tensor instanceof PickledTensor)) continue;
		const data = entries.get(name.replace(/data\.pkl$/, `data/${tensor.key}`));
		// Nets trained on several GPUs have names with a module in between.
		tensors.set(key.replaceAll('module.', ''), tensorIn(shortened(key), data, tensor));
	}
	return tensors;
}

function dictionary(value: unknown): ReadonlyMap<unknown, unknown> {
	if (value instanceof Map) return value;
	throw new Error('its pickle holds no dictionary of tensors');
}

function tensorIn(name: string, data: Buffer | undefined, {storage, offset, shape}: PickledTensor): FileTensor {
	const begin = offset * 4;
	const end = begin + elementsOf(shape) * 4;
	return {
		shape,
		values: () => {
			if (storage !== 'FloatStorage')
				throw new Error(`${name} is of ${storage}, where floats are expected: save model.float()`);
			if (!data || end > data.length) throw new Error(`${name} ends after its elements`);
			return floatsOf(data.subarray(begin, end));
		},
	};
}
