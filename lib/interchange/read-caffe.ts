// A .caffemodel, layer after layer, and the mean image that belongs to it.
import {shortened} from '../base/check.ts';
import {elementsOf} from '../device/memory.ts';
import type {Shape} from '../device/tensor.ts';
import * as caffe from './caffe.ts';
import {NetBuilder, type FileTensor} from './net-builder.ts';
import {Message} from './protobuf.ts';
import type {ReadNet} from './read-net.ts';
import {floatsOf, perValue, shortest} from './tensor-bytes.ts';

/** What bvlc_alexnet and CaffeNet see, where a file does not say. */
const usualCrop = 227;

/** A layer of either form. */
interface Layer {
	readonly message: Message;
	readonly fields: caffe.LayerFields;
	readonly type: string;
}

/** @throws an error that names the layer that no net of ours has. */
export function readCaffe(net: Message, crop: number | undefined): ReadNet {
	const layers = layersOf(net);
	const transformation = layers.flatMap(({message, fields}) => message.messages(fields.transformation)).at(0);
	const builder = new NetBuilder(crop ?? sideOf(net, layers, transformation) ?? usualCrop);
	let last: string | undefined;
	for (const layer of layers) {
		if (skipped.includes(layer.type)) continue;
		const read = readers.get(layer.type);
		const {message, fields} = layer;
		if (!read) throw new Error(`${nameOf(layer)} is of the type ${layer.type}, which is no layer of an AlexNet`);
		const [bottom, ...others] = message.texts(fields.bottom);
		if (others.length > 0 || (last !== undefined && bottom !== last)) {
			throw new Error(`${nameOf(layer)} does not read the layer before, where a net of ours has one after the other`);
		}
		read(layer, builder);
		last = message.text(fields.top);
	}
	const {scale = 1, mean} = preparation(transformation);
	return {...builder.build(), preset: 'caffe', mean, divisor: scale === 1 ? undefined : same(1 / scale)};
}

/** A mean image as Caffe's tools write it: planes, blue first. */
export function readMeanBlob(bytes: Buffer): Float32Array {
	const {shape, values} = tensorIn(new Message(bytes), 'the mean image');
	const [channels, height, width] = shape.slice(-3);
	if (channels !== 3 || height !== width)
		throw new Error(`it is no mean image of three squares but [${shape.join(', ')}]`);
	return values();
}

function layersOf(net: Message): Layer[] {
	const layers = net.messages(caffe.netFields.layers).map((message) => {
		return {message, fields: caffe.layerFields, type: shortened(message.text(caffe.layerFields.type), 40)};
	});
	const old = net.messages(caffe.netFields.oldLayers).map((message) => {
		const type = message.integer(caffe.oldLayerFields.type);
		return {message, fields: caffe.oldLayerFields, type: caffe.oldTypes[type] ?? `number ${type}`};
	});
	return [...layers, ...old];
}

const nameOf = ({message, fields}: Layer): string => shortened(message.text(fields.name), 40);

/** Of the pictures that the net reads: what training cut out, or what the net is declared for. */
function sideOf(net: Message, layers: readonly Layer[], transformation: Message | undefined): number | undefined {
	const cut = transformation?.integer(caffe.transformationFields.crop) ?? 0;
	if (cut > 0) return cut;
	const inputs = layers.flatMap(({message}) => message.messages(caffe.inputFields.parameter));
	const shapes = [
		...net.messages(caffe.netFields.inputShape),
		...inputs.flatMap((each) => each.messages(caffe.inputFields.shape)),
	];
	const [shape] = shapes;
	return (shape?.integers(caffe.blobShapeFields.dimensions) ?? net.integers(caffe.netFields.inputSides))[2];
}

function preparation(transformation: Message | undefined): {scale?: number; mean?: FileTensor} {
	if (!transformation) return {};
	const scale = transformation.float(caffe.transformationFields.scale, 1);
	const values = floatsOf(transformation.packed(caffe.transformationFields.mean));
	return {scale, ...(values.length > 0 && {mean: {shape: [values.length], values: () => values}})};
}

const same = (value: number): FileTensor => ({shape: [3], values: () => new Float32Array(3).fill(value)});

/** What training needs besides, and what classifying has anyhow. */
const skipped: readonly string[] = [
	...['Accuracy', 'Data', 'Flatten', 'ImageData', 'Input', 'MemoryData', 'Softmax', 'SoftmaxWithLoss', 'Split'],
];

const readers: ReadonlyMap<string, (layer: Layer, builder: NetBuilder) => void> = new Map(
	Object.entries({Convolution, InnerProduct, ReLU, TanH, Sigmoid, LRN, Pooling, Dropout}),
);

function blobsOf(layer: Layer): {weight: FileTensor; bias: FileTensor | undefined} {
	const blobs = layer.message.messages(layer.fields.blobs).map((blob) => tensorIn(blob, nameOf(layer)));
	const [weight, bias] = blobs;
	if (!weight) throw new Error(`${nameOf(layer)} has no weights: the file describes a net and does not hold one`);
	return {weight, bias: bias && {...bias, shape: [elementsOf(bias.shape)]}};
}

function require({message, fields}: Layer, is: boolean, expected: string): void {
	if (!is) throw new Error(`${shortened(message.text(fields.name), 40)} must have ${expected}`);
}

function Convolution(layer: Layer, builder: NetBuilder): void {
	const convolution = layer.message.message(layer.fields.convolution) ?? new Message(new Uint8Array());
	const fields = caffe.convolutionFields;
	const one = (field: number, others: readonly number[], whereMissing: number): number => {
		const values = [field, ...others].flatMap((each) => convolution.integers(each));
		const [first = whereMissing] = values;
		require(layer, values.every((value) => value === first), 'the same strides, and pads, on all sides');
		return first;
	};
	const pad = one(fields.pad, [fields.padHeight, fields.padWidth], 0);
	const stride = one(fields.stride, [fields.strideHeight, fields.strideWidth], 1);
	require(layer, one(fields.dilation, [], 1) === 1, 'no dilation');
	const {weight, bias} = blobsOf(layer);
	require(layer, weight.shape.length === 4, 'weights of four dimensions');
	const groups = convolution.integer(fields.group, 1);
	builder.convolution({weight, bias, stride, pads: [pad, pad, pad, pad], groups});
}

function InnerProduct(layer: Layer, builder: NetBuilder): void {
	const {weight, bias} = blobsOf(layer);
	// The older form has four dimensions, of which the first are 1.
	builder.linear({weight: {...weight, shape: weight.shape.slice(-2)}, bias});
}

function ReLU(layer: Layer, builder: NetBuilder): void {
	const slope = layer.message.message(layer.fields.relu)?.float(caffe.reluFields.slope) ?? 0;
	require(layer, slope === 0, 'no slope below zero');
	builder.activation('relu');
}

function TanH(_: Layer, builder: NetBuilder): void {
	builder.activation('tanh');
}

function Sigmoid(_: Layer, builder: NetBuilder): void {
	builder.activation('sigmoid');
}

function LRN(layer: Layer, builder: NetBuilder): void {
	const normalization = layer.message.message(layer.fields.normalization) ?? new Message(new Uint8Array());
	const fields = caffe.normalizationFields;
	require(layer, normalization.integer(fields.region) === 0, 'windows of channels');
	const size = normalization.integer(fields.size, 5);
	const decimal = (field: number, whereMissing: number): number => shortest(normalization.float(field, whereMissing));
	const [beta, k] = [decimal(fields.beta, 0.75), decimal(fields.k, 1)];
	builder.normalization({size, alpha: perValue(decimal(fields.alpha, 1), size), beta, k, columns: 1});
}

function Pooling(layer: Layer, builder: NetBuilder): void {
	const pooling = layer.message.message(layer.fields.pooling) ?? new Message(new Uint8Array());
	const fields = caffe.poolingFields;
	require(layer, pooling.integer(fields.method) === 0, 'the method MAX');
	const isSquare = !fields.heights.some((field) => pooling.has(field)) && pooling.integer(fields.global) === 0;
	require(layer, isSquare && pooling.integer(fields.pad) === 0, 'square windows without pads');
	const [size, stride] = [pooling.integer(fields.size), pooling.integer(fields.stride, 1)];
	const round = pooling.integer(fields.rounding) === 0 ? Math.ceil : Math.floor;
	builder.pooling({size, stride, windows: (pixels) => round((pixels - size) / stride) + 1});
}

function Dropout(layer: Layer, builder: NetBuilder): void {
	const rate = layer.message.message(layer.fields.dropout)?.float(caffe.dropoutFields.rate, 0.5) ?? 0.5;
	builder.dropout(shortest(rate));
}

/** @param name as errors name it */
function tensorIn(blob: Message, name: string): FileTensor {
	const {sides, shape: shapeField, data, doubles} = caffe.blobFields;
	const told = blob.message(shapeField)?.integers(caffe.blobShapeFields.dimensions);
	const shape: Shape = told ?? sides.map((field) => blob.integer(field));
	if (blob.has(doubles)) throw new Error(`${name} has weights of double precision, where floats are expected`);
	const bytes = blob.packed(data);
	if (shape.length > 4 || bytes.length !== elementsOf(shape) * 4) {
		throw new Error(`${name} has ${bytes.length} bytes of [${shape.join(', ')}]`);
	}
	return {shape, values: () => floatsOf(bytes)};
}
