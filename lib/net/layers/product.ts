// What convolutions and linear layers have in common: weights, bias and activation, and the exchange between devices where
// a layer reads the columns of both.
import {oneOf} from '../../base/check.ts';
import {native} from '../../device/native.ts';
import {nonlinearities, type Activation, type Operations} from '../../device/operations.ts';
import type {Tensor} from '../../device/tensor.ts';
import {initialCheck} from '../initial.ts';
import type {LayerPlan, LayerTensors, Parts} from './layer.ts';

export const productChecks = {activation: oneOf<Activation>(['none', ...nonlinearities]), initial: initialCheck};

/** The operations of one kind of layer, as a linear layer's take their tensors. */
export interface Product {
	readonly forward: Operations['linear'];
	readonly backwardInput: Operations['linearBackwardInput'];
	readonly backwardWeights: Operations['linearBackwardWeights'];
}

/** Weights between the inputs of one device and the outputs of another, or of the same. */
export interface WeightBlock {
	/** Whose inputs: a device's place in the group. */
	readonly from: number;
	readonly weights: Tensor;
	/** Missing where the layer does not learn. */
	readonly weightGradient: Tensor | undefined;
}

/** What the outputs on one device are made of. */
export interface Unit {
	/** Own inputs first. */
	readonly own: WeightBlock;
	/** What comes from the other device, where the layer reads both columns. */
	readonly peer: WeightBlock | undefined;
	readonly bias: Tensor;
	/** Missing where the layer does not learn. */
	readonly biasGradient: Tensor | undefined;
}

/** One unit with its tensors. */
interface Bound extends Unit {
	readonly device: number;
	readonly input: Tensor;
	readonly output: Tensor;
	readonly exchange: Exchange | undefined;
}

/** The tensors that a unit's exchange takes. */
interface Exchange {
	readonly block: WeightBlock;
	/** The other device's column as it arrives here. */
	readonly landing: Tensor;
	/** fp32 product of the own column, to which the other's is added. */
	readonly partial: Tensor;
	/** The gradient of the other's column, as it leaves. */
	readonly outgoing: Tensor | undefined;
	/** Where it arrives on the other device: to be added there, or the whole gradient where that has no outputs. */
	readonly arriving: Tensor | undefined;
}

/**
 * Each device multiplies its own column while the other's is on its way, then adds that one's part. Backward, the other's
 * gradient is computed and sent first. Sums have a fixed order: own column, other column.
 *
 * @param units one for each device that has outputs
 */
export function planProduct(
	product: Product,
	activation: Activation,
	units: readonly Unit[],
	tensors: LayerTensors,
): LayerPlan {
	const bound = units.flatMap((unit, device) => bind(unit, device, units.length, tensors));
	const {outputGradient, inputGradient} = tensors;
	return {
		forward: () => forward(product, activation, bound, tensors),
		backward: () => {
			if (outputGradient) backward(product, activation, bound, tensors, outputGradient, inputGradient);
		},
	};
}

function bind(unit: Unit, device: number, count: number, tensors: LayerTensors): Bound[] {
	const [input, output] = [tensors.input[device], tensors.output[device]];
	if (!input || !output) return [];
	return [{...unit, device, input, output, exchange: exchangeOf(unit, device, count, tensors)}];
}

function exchangeOf(unit: Unit, device: number, count: number, tensors: LayerTensors): Exchange | undefined {
	const {memories, input, output, inputGradient} = tensors;
	const block = unit.peer;
	const [memory, here] = [memories[device], output[device]];
	const [there, peer] = block ? [memories[block.from], input[block.from]] : [];
	if (!block || !memory || !here || !there || !peer) return undefined;
	const sameAsPeer = (place = memory): Tensor => place.allocate(peer.shape, peer.dataType);
	// A device without outputs of this layer has no gradient of its own to add to: it gets the whole one.
	const whole = block.from >= count;
	return {
		block,
		landing: sameAsPeer(),
		partial: memory.allocate(here.shape, 'float32'),
		outgoing: inputGradient && sameAsPeer(),
		arriving: inputGradient && (whole ? inputGradient[block.from] : sameAsPeer(there)),
	};
}

function forward(
	product: Product,
	activation: Activation,
	units: readonly Bound[],
	{memories, input}: LayerTensors,
): void {
	const sent = units.flatMap(({exchange}) => {
		const column = exchange && input[exchange.block.from];
		return column ? [native.send({input: column, output: exchange.landing})] : [];
	});
	for (const {own, bias, input: column, output, exchange} of units) {
		if (exchange) product.forward({input: column, weights: own.weights, output: exchange.partial});
		else product.forward({input: column, weights: own.weights, bias, output, activation});
	}
	for (const {device} of memories) for (const event of sent) device.wait(event);
	for (const {bias, output, exchange} of units) {
		if (!exchange) continue;
		const {block, landing, partial} = exchange;
		product.forward({input: landing, weights: block.weights, bias, addend: partial, output, activation});
	}
}

function backward(
	product: Product,
	activation: Activation,
	units: readonly Bound[],
	{memories, preActivation}: LayerTensors,
	outputGradients: Parts,
	inputGradients: Parts | undefined,
): void {
	const withGradient = units.flatMap((unit) => {
		const outputGradient = outputGradients[unit.device];
		return outputGradient ? [{...unit, outputGradient, inputGradient: inputGradients?.[unit.device]}] : [];
	});
	if (activation !== 'none' && !preActivation) {
		for (const {output, outputGradient} of withGradient) {
			native.activateBackward({output, outputGradient, inputGradient: outputGradient, activation});
		}
	}
	const sent = withGradient.flatMap(({exchange, outputGradient}) => {
		if (!exchange?.outgoing || !exchange.arriving) return [];
		product.backwardInput({outputGradient, weights: exchange.block.weights, inputGradient: exchange.outgoing});
		return [native.send({input: exchange.outgoing, output: exchange.arriving})];
	});
	for (const {own, biasGradient, input, exchange, outputGradient, inputGradient} of withGradient) {
		const [weightGradient, peerGradient] = [own.weightGradient, exchange?.block.weightGradient];
		if (weightGradient) product.backwardWeights({input, outputGradient, weightGradient, biasGradient});
		if (exchange && peerGradient) {
			product.backwardWeights({input: exchange.landing, outputGradient, weightGradient: peerGradient});
		}
		if (inputGradient) product.backwardInput({outputGradient, weights: own.weights, inputGradient});
	}
	for (const {device} of memories) for (const event of sent) device.wait(event);
	for (const {exchange} of withGradient) {
		const peer = exchange && inputGradients?.[exchange.block.from];
		if (!peer || !exchange.arriving || exchange.arriving === peer) continue;
		native.add({input: peer, addend: exchange.arriving, output: peer});
	}
}
