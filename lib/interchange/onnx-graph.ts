// An ONNX file's graph as it is read: nodes, tensors, and who reads what.
import {elementsOf} from '../device/memory.ts';
import type {Shape} from '../device/tensor.ts';
import {shortened} from '../base/check.ts';
import {
	attributeFields,
	producer,
	dimensionFields,
	elementTypes,
	entryFields,
	graphFields,
	modelFields,
	nodeFields,
} from './onnx.ts';
import {shapeFields, tensorFields, tensorTypeFields, typeFields, valueFields} from './onnx.ts';
import type {FileTensor} from './net-builder.ts';
import type {Message} from './protobuf.ts';
import {floatsOf, shortest} from './tensor-bytes.ts';

export class OnnxNode {
	readonly operator: string;
	readonly name: string;
	readonly inputs: readonly string[];
	readonly outputs: readonly string[];
	readonly #attributes: ReadonlyMap<string, Message>;

	constructor(message: Message) {
		this.operator = shortened(message.text(nodeFields.operator), 40);
		this.name = message.text(nodeFields.name);
		this.inputs = message.texts(nodeFields.input);
		this.outputs = message.texts(nodeFields.output);
		const attributes = message.messages(nodeFields.attribute);
		this.#attributes = new Map(attributes.map((attribute) => [attribute.text(attributeFields.name), attribute]));
	}

	/** As messages name it. */
	get inWords(): string {
		return this.name === '' ? this.operator : `${this.operator} ${shortened(this.name, 40)}`;
	}

	integer(attribute: string, whereMissing: number): number {
		return this.#attributes.get(attribute)?.integer(attributeFields.integer, whereMissing) ?? whereMissing;
	}

	float(attribute: string, whereMissing: number): number {
		const value = this.#attributes.get(attribute)?.float(attributeFields.float, whereMissing);
		return value === undefined ? whereMissing : shortest(value);
	}

	integers(attribute: string, whereMissing: readonly number[]): readonly number[] {
		return this.#attributes.get(attribute)?.integers(attributeFields.integers) ?? whereMissing;
	}

	text(attribute: string): string {
		return this.#attributes.get(attribute)?.text(attributeFields.text) ?? '';
	}

	tensor(attribute: string): Message | undefined {
		return this.#attributes.get(attribute)?.message(attributeFields.tensor);
	}
}

export class OnnxGraph {
	/** What is not a constant. */
	readonly nodes: readonly OnnxNode[];
	/** The one input that is no initializer, with its dimensions; 0 where one may have any length. */
	readonly input: {readonly name: string; readonly dimensions: readonly number[]};
	readonly outputs: readonly string[];
	readonly metadata: ReadonlyMap<string, string>;
	/** Layers have names then; those of other programs' nodes are no layers'. */
	readonly isOurs: boolean;
	readonly #tensors = new Map<string, Message>();
	readonly #readers = new Map<string, OnnxNode[]>();

	/** @throws an error that says what is not as a graph must be. */
	constructor(model: Message) {
		const graph = model.message(modelFields.graph);
		if (!graph) throw new Error('it has no graph');
		this.isOurs = model.text(modelFields.producer) === producer;
		const entries = model.messages(modelFields.metadata);
		this.metadata = new Map(entries.map((entry) => [entry.text(entryFields.key), entry.text(entryFields.value)]));
		for (const tensor of graph.messages(graphFields.initializer)) {
			this.#tensors.set(tensor.text(tensorFields.name), tensor);
		}
		const nodes = graph.messages(graphFields.node).map((message) => new OnnxNode(message));
		this.nodes = nodes.filter((node) => !this.#isConstant(node));
		for (const node of this.nodes) {
			for (const input of new Set(node.inputs)) {
				const readers = this.#readers.get(input);
				if (readers) readers.push(node);
				else this.#readers.set(input, [node]);
			}
		}
		const values = graph.messages(graphFields.input).map(valueOf);
		const inputs = values.filter(({name}) => !this.#tensors.has(name));
		const [input] = inputs;
		if (!input || inputs.length > 1)
			throw new Error(`its graph has ${inputs.length} inputs, where one is expected: pictures`);
		this.input = input;
		this.outputs = graph.messages(graphFields.output).map((message) => message.text(valueFields.name));
	}

	/** Nodes that read a value. */
	readersOf(value: string): readonly OnnxNode[] {
		return this.#readers.get(value) ?? [];
	}

	/** The node that gives a value, if one does. */
	makerOf(value: string | undefined): OnnxNode | undefined {
		return this.nodes.find(({outputs}) => value !== undefined && outputs.includes(value));
	}

	/** A tensor of floats. */
	tensor(name: string | undefined): FileTensor {
		const message = this.#find(name, 'float');
		const shape = shapeOf(message);
		const bytes = message.bytes(tensorFields.raw) ?? message.packed(tensorFields.floats);
		if (bytes.length !== elementsOf(shape) * 4) {
			const sizes = `${bytes.length} bytes for [${shape.join(', ')}]`;
			throw new Error(`${shortened(name ?? '', 40)} has ${sizes}`);
		}
		return {shape, values: () => floatsOf(bytes)};
	}

	/** A tensor of one float. */
	scalar(name: string | undefined): number {
		const {shape, values} = this.tensor(name);
		if (elementsOf(shape) !== 1)
			throw new Error(`${shortened(name ?? '', 40)} has several values, where one is expected`);
		return shortest(values()[0] ?? 0);
	}

	/** A tensor of integers: a shape, or places. */
	integers(name: string | undefined): number[] {
		const message = this.#find(name, 'integer');
		const raw = message.bytes(tensorFields.raw);
		if (!raw) return message.integers(tensorFields.integers);
		const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
		return Array.from({length: Math.min(raw.length / 8, mostDimensions)}, (_, at) =>
			Number(view.getBigInt64(at * 8, true)),
		);
	}

	#find(name: string | undefined, type: keyof typeof elementTypes): Message {
		const message = name === undefined ? undefined : this.#tensors.get(name);
		const what = shortened(name ?? 'a value', 40);
		if (!message) throw new Error(`${what} is computed where a constant is expected`);
		if (message.has(tensorFields.external)) throw new Error(`${what} lies in another file; save the model as one file`);
		const found = message.integer(tensorFields.type);
		if (found === elementTypes[type]) return message;
		throw new Error(`${what} has elements of ONNX's type ${found}, where ${elementTypes[type]} (${type}s) is expected`);
	}

	/** Takes the tensor of a node that is a constant. */
	#isConstant(node: OnnxNode): boolean {
		const tensor = node.operator === 'Constant' ? node.tensor('value') : undefined;
		const [output] = node.outputs;
		if (!tensor || output === undefined) return false;
		this.#tensors.set(output, tensor);
		return true;
	}
}

const mostDimensions = 8;

function shapeOf(tensor: Message): Shape {
	const shape = tensor.integers(tensorFields.dimensions);
	if (shape.length <= mostDimensions && shape.every((length) => length >= 0)) return shape;
	throw new Error(`${shortened(tensor.text(tensorFields.name), 40)} has a shape that cannot be`);
}

function valueOf(message: Message): OnnxGraph['input'] {
	const tensor = message.message(valueFields.type)?.message(typeFields.tensor);
	const shape = tensor?.message(tensorTypeFields.shape);
	const dimensions = shape?.messages(shapeFields.dimension) ?? [];
	return {
		name: message.text(valueFields.name),
		dimensions: dimensions.map((each) => each.integer(dimensionFields.value)),
	};
}
