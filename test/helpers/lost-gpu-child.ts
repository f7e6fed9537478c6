// Checks of operations on a simulated GPU whose `add` reads memory that nobody wrote, which the simulator answers as a
// GPU does the error of a kernel: nothing works any more. Prints the results.
import {openDevice} from '../../lib/device/device.ts';
import type {NativeDevice} from '../../lib/device/native-device.ts';
import type {Tensor} from '../../lib/device/tensor.ts';
import {operationCases} from '../../lib/selftest/cases/index.ts';
import {checkOperations} from '../../lib/selftest/check-operations.ts';
import {TestedDevice} from '../../lib/selftest/tested-device.ts';
import {gather, replace, tools} from './faulty-subject.ts';

const opened: NativeDevice[] = [];
const faulty = replace('add', (options: {input: Tensor; addend: Tensor; output: Tensor}, original) => {
	const {shape, dataType} = options.addend;
	original({...options, addend: opened.at(-1)!.allocate(shape, dataType)});
});
using device = new TestedDevice('cuda:0', (id) => {
	const next = openDevice(id);
	opened.push(next);
	return next;
});
const all = operationCases();
const cases = new Map((['copy', 'add', 'fill', 'cast'] as const).map((name) => [name, all.get(name)!]));
const results = await gather(checkOperations([device], cases, {...tools, operations: faulty}));
process.stdout.write(JSON.stringify(results));
