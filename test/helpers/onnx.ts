// Graphs as other programs write them.
import {writeFileSync} from 'node:fs';
import {elementsOf} from '../../lib/device/memory.ts';
import {bytesOf} from '../../lib/checkpoint/write-whole.ts';
import {
	graphFields,
	modelFields,
	nodeMessage,
	opsetFields,
	tensorStart,
	valueMessage,
} from '../../lib/interchange/onnx.ts';
import type {Node} from '../../lib/interchange/onnx.ts';
import {bytes, encoded, integer, message, text} from '../../lib/interchange/protobuf.ts';
import {Random} from '../../lib/selftest/random.ts';

export interface Floats {
	readonly shape: readonly number[];
	readonly values: Float32Array;
}

/** Values of both signs, another time others. */
export function drawn(shape: readonly number[], scale: number): Floats {
	const random = new Random(String(Math.random()));
	return {shape, values: Float32Array.from(random.values(elementsOf(shape), scale, 'float32'))};
}

export interface Graph {
	readonly crop: number;
	/** In a row: each reads what the one before gives, and constants by name. */
	readonly nodes: readonly (Omit<Node, 'inputs' | 'output' | 'name'> & {readonly constants?: readonly string[]})[];
	readonly constants: Readonly<Record<string, Floats | readonly number[]>>;
	readonly opset?: number;
}

/** Its input is `data`, its output the last node's. Old files list constants among the inputs, and so does this. */
export function writeGraph(path: string, {crop, nodes, constants, opset = 13}: Graph): void {
	const tensors = Object.entries(constants).map(([name, constant]) => {
		const isFloats = 'shape' in constant;
		const shape = isFloats ? constant.shape : [constant.length];
		const values = isFloats ? constant.values : BigInt64Array.from(constant, BigInt);
		const raw = bytesOf(values);
		return Buffer.concat([tensorStart(name, shape, isFloats ? 'float' : 'integer'), raw]);
	});
	const chain = nodes.map(({constants: others = [], ...node}, at): Node => {
		return {...node, name: '', inputs: [at === 0 ? 'data' : `v${at - 1}`, ...others], output: `v${at}`};
	});
	const floats = Object.entries(constants).flatMap(([name, each]) =>
		'shape' in each ? [{name, shape: each.shape}] : [],
	);
	const graph = Buffer.concat([
		encoded(
			text(graphFields.name, 'net'),
			...chain.map(nodeMessage),
			valueMessage(graphFields.input, 'data', [1, 3, crop, crop]),
			...floats.map(({name, shape}) => valueMessage(graphFields.input, name, shape)),
			valueMessage(graphFields.output, `v${nodes.length - 1}`, []),
		),
		...tensors,
	]);
	writeFileSync(
		path,
		encoded(
			integer(modelFields.irVersion, 7),
			message(modelFields.opset, text(opsetFields.domain, ''), integer(opsetFields.version, opset)),
			bytes(modelFields.graph, graph),
		),
	);
}
