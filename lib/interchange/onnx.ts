// ONNX's messages: which number each field has, and what small messages are made of.
import {elementsOf} from '../device/memory.ts';
import type {Nonlinearity} from '../device/operations.ts';
import type {Shape} from '../device/tensor.ts';
import {bytesToFollow, encoded, float, integer, integers, message, text, type Field} from './protobuf.ts';

export const modelFields = {irVersion: 1, producer: 2, producerVersion: 3, graph: 7, opset: 8, metadata: 14} as const;
export const graphFields = {node: 1, name: 2, initializer: 5, input: 11, output: 12} as const;
export const nodeFields = {input: 1, output: 2, name: 3, operator: 4, attribute: 5, domain: 7} as const;
export const attributeFields = {name: 1, float: 2, integer: 3, text: 4, tensor: 5, integers: 8, type: 20} as const;
export const tensorFields = {
	...{dimensions: 1, type: 2, floats: 4, integers: 7, name: 8, raw: 9, external: 13},
} as const;
export const valueFields = {name: 1, type: 2} as const;
export const typeFields = {tensor: 1} as const;
export const tensorTypeFields = {element: 1, shape: 2} as const;
export const shapeFields = {dimension: 1} as const;
export const dimensionFields = {value: 1, parameter: 2} as const;
export const opsetFields = {domain: 1, version: 2} as const;
export const entryFields = {key: 1, value: 2} as const;

/** What files of ours say that they are made by. */
export const producer = 'alexnet-cuda';

/** The operators of activations. */
export const activationTypes: Readonly<Record<Nonlinearity, string>> = {relu: 'Relu', tanh: 'Tanh', sigmoid: 'Sigmoid'};

/** TensorProto's types that nets have. */
export const elementTypes = {float: 1, integer: 7} as const;
const attributeTypes = {float: 1, integer: 2, integers: 7} as const;

/** An attribute of a node: a float is written as `{float: 0.75}`, so that 1 can be one. */
export type AttributeValue = number | readonly number[] | {readonly float: number};

/** A node of a graph, as plain data. */
export interface Node {
	readonly operator: string;
	readonly name: string;
	readonly inputs: readonly string[];
	readonly output: string;
	readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

export function nodeMessage({operator, name, inputs, output, attributes = {}}: Node): Field {
	return message(
		graphFields.node,
		...inputs.map((input) => text(nodeFields.input, input)),
		text(nodeFields.output, output),
		text(nodeFields.name, name),
		text(nodeFields.operator, operator),
		...Object.entries(attributes).map(([key, value]) => message(nodeFields.attribute, ...attribute(key, value))),
	);
}

function attribute(key: string, value: AttributeValue): Field[] {
	const type = typeof value === 'number' ? 'integer' : 'float' in value ? 'float' : 'integers';
	const field =
		typeof value === 'number'
			? [integer(attributeFields.integer, value)]
			: 'float' in value
				? [float(attributeFields.float, value.float)]
				: integers(attributeFields.integers, value);
	return [text(attributeFields.name, key), ...field, integer(attributeFields.type, attributeTypes[type])];
}

/** A graph's input or output of floats; a dimension that is a text has any length. */
export function valueMessage(field: number, name: string, dimensions: readonly (number | string)[]): Field {
	const shape = dimensions.map((dimension) =>
		message(
			shapeFields.dimension,
			typeof dimension === 'number'
				? integer(dimensionFields.value, dimension)
				: text(dimensionFields.parameter, dimension),
		),
	);
	const tensor = message(
		typeFields.tensor,
		integer(tensorTypeFields.element, elementTypes.float),
		message(tensorTypeFields.shape, ...shape),
	);
	return message(field, text(valueFields.name, name), message(valueFields.type, tensor));
}

/** A tensor's message up to its bytes, which follow. */
export function tensorStart(name: string, shape: Shape, type: keyof typeof elementTypes): Uint8Array {
	const length = elementsOf(shape) * (type === 'float' ? 4 : 8);
	const start = encoded(
		...integers(tensorFields.dimensions, shape),
		integer(tensorFields.type, elementTypes[type]),
		text(tensorFields.name, name),
		bytesToFollow(tensorFields.raw, length),
	);
	return Buffer.concat([encoded(bytesToFollow(graphFields.initializer, start.length + length)), start]);
}
