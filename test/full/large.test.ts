// Operations on more than 2^31 elements, and on more pictures than a grid's y and z hold: what 32-bit offsets and grids
// would get wrong. A block of pictures stands there many times over, so each block of an output must have the bits of the
// block's own, and a gradient that sums over pictures must be as many times as large. Inputs are small whole numbers, whose
// sums are exact in fp32.
import type {ExecutionContext} from 'ava';
import {listDevices, openDevice} from '../../lib/device/device.ts';
import {bytesOfTensor, elementsOf, Memory} from '../../lib/device/memory.ts';
import {native} from '../../lib/device/native.ts';
import type {NativeDevice} from '../../lib/device/native-device.ts';
import type {DataType, HostArray, Shape, Tensor} from '../../lib/device/tensor.ts';
import {isSimulated} from '../../lib/selftest/facts.ts';
import {Random} from '../../lib/selftest/random.ts';
import {toBfloat16} from '../../lib/selftest/bfloat16.ts';
import {testOn} from '../helpers/devices.ts';

/** What the largest tensor of each case has at least. */
const manyElements = 2 ** 31 + 2 ** 20;

/** A tensor's shape without its pictures, and its type. */
interface Part {
	readonly shape: Shape;
	readonly type: DataType;
	/** Of the whole numbers in it; left out, from -2 to 2. */
	readonly range?: readonly [least: number, most: number];
}
type Tensors = Readonly<Record<string, Tensor>>;

interface Case {
	readonly name: string;
	readonly read: Readonly<Record<string, Part>>;
	readonly written: Readonly<Record<string, Part>>;
	/** Read, the same for all pictures. */
	readonly shared?: Readonly<Record<string, Part>>;
	/** Written: sums over all pictures, in fp32. */
	readonly sums?: Readonly<Record<string, Shape>>;
	/** @param allocate memory for what a forward pass leaves to the backward pass */
	readonly run: (tensors: Tensors, allocate: (bytes: number) => Tensor | undefined) => void;
}

const bf16 = (...shape: number[]): Part => ({shape, type: 'bfloat16'});
const fp32 = (...shape: number[]): Part => ({shape, type: 'float32'});

const pool = {size: 3, stride: 2};
const normalization = {size: 5, alpha: 1e-4, beta: 0.75, k: 2};
const square = {stride: 1, pads: [1, 1, 1, 1], groups: 2} as const;
const first = {stride: 4, pads: [0, 0, 3, 3]} as const;

/** The tensor of a case by its name. */
function of(tensors: Tensors, name: string): Tensor {
	const tensor = tensors[name];
	if (!tensor) throw new Error(`The case has no tensor ${name}.`);
	return tensor;
}

const cases: readonly Case[] = [
	{
		name: 'activate and activateBackward',
		read: {input: bf16(64), outputGradient: bf16(64)},
		written: {output: bf16(64), inputGradient: bf16(64)},
		run: (all) => {
			const [input, output] = [of(all, 'input'), of(all, 'output')];
			native.activate({input, output, activation: 'relu'});
			const [outputGradient, inputGradient] = [of(all, 'outputGradient'), of(all, 'inputGradient')];
			native.activateBackward({output, outputGradient, inputGradient, activation: 'relu'});
		},
	},
	{
		name: 'add',
		read: {input: bf16(64), addend: bf16(64)},
		written: {output: bf16(64)},
		run: (all) => {
			native.add({input: of(all, 'input'), addend: of(all, 'addend'), output: of(all, 'output')});
		},
	},
	{
		name: 'cast',
		read: {input: bf16(64)},
		written: {output: fp32(64)},
		run: (all) => {
			native.cast({input: of(all, 'input'), output: of(all, 'output')});
		},
	},
	{
		name: 'lrn and lrnBackward',
		read: {input: bf16(4, 4, 64), outputGradient: bf16(4, 4, 64)},
		written: {output: bf16(4, 4, 64), inputGradient: bf16(4, 4, 64)},
		run: (all, allocate) => {
			const [input, output] = [of(all, 'input'), of(all, 'output')];
			const workspace = allocate(native.lrnWorkspaceBytes({...normalization, input, output}));
			native.lrn({...normalization, input, output, workspace});
			const [outputGradient, inputGradient] = [of(all, 'outputGradient'), of(all, 'inputGradient')];
			native.lrnBackward({...normalization, input, outputGradient, inputGradient, workspace});
		},
	},
	{
		name: 'lrnMaxPool and lrnMaxPoolBackward',
		read: {input: bf16(9, 9, 64), outputGradient: bf16(4, 4, 64)},
		written: {output: bf16(4, 4, 64), inputGradient: bf16(9, 9, 64)},
		run: (all, allocate) => {
			const [input, output] = [of(all, 'input'), of(all, 'output')];
			const [outputGradient, inputGradient] = [of(all, 'outputGradient'), of(all, 'inputGradient')];
			const workspace = allocate(native.maxPoolWorkspaceBytes({...pool, input, output}));
			native.lrnMaxPool({input, output, workspace, lrn: normalization, pool});
			if (!workspace) return;
			const tensors = {input, outputGradient, inputGradient, workspace};
			native.lrnMaxPoolBackward({...tensors, lrn: normalization, pool, activation: 'relu'});
		},
	},
	{
		name: 'maxPool and maxPoolBackward',
		read: {input: bf16(7, 7, 64), outputGradient: bf16(3, 3, 64)},
		written: {output: bf16(3, 3, 64), inputGradient: bf16(7, 7, 64)},
		run: (all, allocate) => {
			const [input, output] = [of(all, 'input'), of(all, 'output')];
			const workspace = allocate(native.maxPoolWorkspaceBytes({...pool, input, output}));
			native.maxPool({...pool, input, output, workspace});
			const [outputGradient, inputGradient] = [of(all, 'outputGradient'), of(all, 'inputGradient')];
			if (workspace) native.maxPoolBackward({...pool, outputGradient, inputGradient, workspace});
		},
	},
	{
		name: 'conv2d, forward and backward',
		read: {input: bf16(4, 4, 64), outputGradient: bf16(4, 4, 64)},
		written: {output: bf16(4, 4, 64), inputGradient: bf16(4, 4, 64)},
		shared: {weights: bf16(64, 3, 3, 32), bias: fp32(64)},
		sums: {weightGradient: [64, 3, 3, 32], biasGradient: [64]},
		run: (all) => {
			const [input, weights, bias] = [of(all, 'input'), of(all, 'weights'), of(all, 'bias')];
			native.conv2d({...square, input, weights, bias, output: of(all, 'output'), activation: 'relu'});
			const outputGradient = of(all, 'outputGradient');
			native.conv2dBackwardInput({...square, outputGradient, weights, inputGradient: of(all, 'inputGradient')});
			const [weightGradient, biasGradient] = [of(all, 'weightGradient'), of(all, 'biasGradient')];
			native.conv2dBackwardWeights({...square, input, outputGradient, weightGradient, biasGradient});
		},
	},
	{
		name: "conv2d as the paper's first layer, forward and backward",
		read: {input: bf16(24, 24, 3), outputGradient: bf16(5, 5, 96)},
		written: {output: bf16(5, 5, 96)},
		shared: {weights: bf16(96, 11, 11, 3), bias: fp32(96)},
		sums: {weightGradient: [96, 11, 11, 3], biasGradient: [96]},
		run: (all) => {
			const [input, weights, bias] = [of(all, 'input'), of(all, 'weights'), of(all, 'bias')];
			native.conv2d({...first, input, weights, bias, output: of(all, 'output')});
			const [weightGradient, biasGradient] = [of(all, 'weightGradient'), of(all, 'biasGradient')];
			const outputGradient = of(all, 'outputGradient');
			native.conv2dBackwardWeights({...first, input, outputGradient, weightGradient, biasGradient});
		},
	},
	{
		name: 'linear, forward and backward',
		read: {input: bf16(512), outputGradient: bf16(32)},
		written: {output: bf16(32), inputGradient: bf16(512)},
		shared: {weights: bf16(32, 512), bias: fp32(32)},
		sums: {weightGradient: [32, 512], biasGradient: [32]},
		run: (all) => {
			const [input, weights, bias] = [of(all, 'input'), of(all, 'weights'), of(all, 'bias')];
			native.linear({input, weights, bias, output: of(all, 'output'), activation: 'relu'});
			const outputGradient = of(all, 'outputGradient');
			native.linearBackwardInput({outputGradient, weights, inputGradient: of(all, 'inputGradient')});
			const [weightGradient, biasGradient] = [of(all, 'weightGradient'), of(all, 'biasGradient')];
			native.linearBackwardWeights({input, outputGradient, weightGradient, biasGradient});
		},
	},
	{
		name: 'softmax',
		read: {logits: fp32(1000)},
		written: {probabilities: fp32(1000)},
		run: (all) => {
			native.softmax({logits: of(all, 'logits'), probabilities: of(all, 'probabilities')});
		},
	},
	{
		name: 'augment',
		read: {
			images: {shape: [64, 64, 3], type: 'uint8', range: [0, 255]},
			views: {shape: [6], type: 'float32', range: [0, 1]},
		},
		written: {output: bf16(56, 56, 3)},
		shared: {mean: fp32(64, 64, 3)},
		run: (all) => {
			const [images, views, mean] = [of(all, 'images'), of(all, 'views'), of(all, 'mean')];
			native.augment({images, views, mean, output: of(all, 'output')});
		},
	},
];

function values({type, range: [least, most] = [-2, 2]}: Part, count: number, random: Random): HostArray {
	const draws = Float32Array.from({length: count}, () => least + random.integer(most - least + 1));
	if (type === 'uint8') return Uint8Array.from(draws);
	return type === 'float32' ? draws : Uint16Array.from(draws, toBfloat16);
}

/** The case on `pictures` pictures, which repeat those of `block`. */
class Trial {
	readonly memory: Memory;
	readonly tensors: Record<string, Tensor> = {};

	constructor(device: NativeDevice, given: Case, pictures: number) {
		this.memory = new Memory(device);
		const allocate = (name: string, {shape, type}: Part, ...rows: number[]): void => {
			this.tensors[name] = this.memory.allocate([...rows, ...shape], type);
		};
		for (const parts of [given.read, given.written]) {
			for (const [name, part] of Object.entries(parts)) allocate(name, part, pictures);
		}
		for (const [name, part] of Object.entries(given.shared ?? {})) allocate(name, part);
		for (const [name, shape] of Object.entries(given.sums ?? {})) allocate(name, {shape, type: 'float32'});
	}

	run(given: Case): void {
		given.run(this.tensors, (bytes) => (bytes > 0 ? this.memory.allocate([bytes], 'uint8') : undefined));
	}

	/** A part of a tensor: a block of pictures, or all of it. */
	block(name: string, shape: Shape, index = 0): Tensor {
		const tensor = of(this.tensors, name);
		const offset = index * bytesOfTensor(shape, tensor.dataType);
		return this.memory.view(tensor, shape, tensor.dataType, offset);
	}

	async bytes(name: string, shape: Shape, index = 0): Promise<Uint8Array> {
		const tensor = of(this.tensors, name);
		const size = bytesOfTensor(shape, tensor.dataType);
		const bytes = new Uint8Array(size);
		await this.memory.view(tensor, [size], 'uint8', index * size).read(bytes);
		return bytes;
	}
}

/** Pictures of a block: some megabytes of the largest tensor, an odd number. */
const pictureCount = (elements: number): number => Math.ceil(2 ** 22 / elements) * 2 + 1;

async function runCase(t: ExecutionContext, device: NativeDevice, given: Case): Promise<void> {
	const largest = Math.max(...Object.values({...given.read, ...given.written}).map(({shape}) => elementsOf(shape)));
	const pictures = pictureCount(largest);
	const blocks = Math.ceil(manyElements / (pictures * largest));
	const bytes = Object.values({...given.read, ...given.written}).map(({shape, type}) => bytesOfTensor(shape, type));
	const need = 1.1 * pictures * blocks * bytes.reduce((sum, part) => sum + part); // workspaces are less
	if (need > device.freeBytes()) {
		t.log(`left out, for it needs ${Math.round(need / 1e9)} GB`);
		t.pass();
		return;
	}
	const small = new Trial(device, given, pictures);
	const large = new Trial(device, given, pictures * blocks);
	try {
		const random = new Random(given.name);
		for (const [name, part] of Object.entries({...given.read, ...given.shared})) {
			const shape = of(small.tensors, name).shape;
			const input = small.block(name, shape);
			input.write(values(part, elementsOf(shape), random));
			const count = name in given.read ? blocks : 1;
			for (let index = 0; index < count; ++index) native.copy({input, output: large.block(name, shape, index)});
		}
		small.run(given);
		large.run(given);
		await device.synchronize();
		for (const [name, {shape}] of Object.entries(given.written)) {
			const block = [pictures, ...shape];
			const expected = Buffer.from(await small.bytes(name, block));
			for (const index of [0, Math.floor(blocks / 2), blocks - 1]) {
				t.true(expected.equals(await large.bytes(name, block, index)), `${name}, block ${index} of ${blocks}`);
			}
		}
		for (const [name, shape] of Object.entries(given.sums ?? {})) {
			const [one, all] = [await small.bytes(name, shape), await large.bytes(name, shape)].map(
				({buffer}) => new Float32Array(buffer as ArrayBuffer),
			);
			t.deepEqual(
				all,
				one?.map((sum) => sum * blocks),
				name,
			);
		}
	} finally {
		small.memory.dispose();
		large.memory.dispose();
	}
}

for (const {id} of listDevices()) {
	if (isSimulated(id)) continue; // hours, and more memory than there is
	for (const given of cases) {
		testOn([id], `more than 2^31 elements: ${given.name} [${id}]`, async (t) => {
			const device = openDevice(id);
			try {
				await runCase(t, device, given);
			} finally {
				device.close();
			}
		});
	}
}
