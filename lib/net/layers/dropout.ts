import {fields, number, oneOf} from '../../base/check.ts';
import {bytesOfTensor, elementsOf} from '../../device/memory.ts';
import {native} from '../../device/native.ts';
import type {Shape, Tensor} from '../../device/tensor.ts';
import {layerName, type LayerKind, type NamedLayer} from './kind.ts';
import {partsOf, sideBySide, type Layer, type LayerPlan, type LayerTensors, type Layout, type Place} from './layer.ts';

/** Drops each output with the probability `rate` in training, and scales the others up (paper 4.2). */
export interface DropoutSpec extends NamedLayer<'dropout'> {
	/** At least 0 and below 1. */
	readonly rate: number;
}

export const dropout: LayerKind<DropoutSpec> = {
	check: fields<DropoutSpec>({type: oneOf(['dropout']), name: layerName, rate: number(0, 1)}),
	readsPixels: false,
	outputShape: (_, input) => input,
	place: (spec, place) => new Dropout(spec, place),
};

/**
 * Dropout, inverted: what stays is divided by 1 - rate in training, so that inference needs no scaling. In expectation
 * the same as the paper's halved outputs at test time.                                                       paper 4.2
 */
class Dropout implements Layer {
	readonly name: string;
	readonly parameters = [];
	readonly backwardInPlace = true;
	readonly trainingOnly = true;
	/** What the mask is a function of, besides the step and an element's place. */
	readonly #mask;

	constructor({name, rate}: DropoutSpec, {seed, ordinal}: Place) {
		this.name = name;
		this.#mask = {rate, seed, layer: ordinal};
	}

	output(input: Layout): Layout {
		return input;
	}

	plan(tensors: LayerTensors): LayerPlan {
		const parts = partsOf(tensors);
		return sideBySide(
			parts.flatMap(({memory, ...of}, part) =>
				piecesOf(of.input, {part, parts: parts.length, before: tensors.before ?? 0}).map((piece) => {
					const own = {...this.#mask, features: piece.features, offset: piece.offset, step: 0}; // replays bring their own
					const view = (tensor: Tensor): Tensor => {
						return memory.view(tensor, piece.shape, tensor.dataType, bytesOfTensor([piece.start], tensor.dataType));
					};
					const [input, output] = [view(of.input), view(of.output)];
					const outputGradient = of.outputGradient && view(of.outputGradient);
					const inputGradient = of.inputGradient && view(of.inputGradient);
					return {
						forward: () => {
							native.dropout({input, output, ...own});
						},
						// The mask is a function of the counter: the gradient passes through the same call.
						backward: () => {
							if (!outputGradient || !inputGradient) return;
							native.dropout({input: outputGradient, output: inputGradient, ...own});
						},
					};
				}),
			),
		);
	}
}

/** What one operation drops: elements from `start` on, whose masks are those of the net's from `offset` on. */
interface Piece {
	readonly start: number;
	readonly shape: Shape;
	readonly features: number;
	readonly offset: number;
}

/**
 * A pixel's channels are a row, so that columns have the same masks on one device and on two, and ranks those of one that
 * has all pictures: theirs begin behind the rows of the pictures before, in one long row or, where a row is only a part of
 * the net's, in rows by themselves.
 */
function piecesOf(
	{shape}: Tensor,
	{part, parts, before}: {part: number; parts: number; before: number},
): readonly Piece[] {
	const width = shape.at(-1) ?? 0;
	const rows = elementsOf(shape) / width;
	const whole = width * parts;
	if (before === 0) return [{start: 0, shape: [rows, width], features: whole, offset: part * width}];
	const first = (before * rows) / (shape[0] ?? 1);
	if (parts === 1) {
		return [{start: 0, shape: [1, rows * width], features: (first + rows) * width, offset: first * width}];
	}
	return Array.from({length: rows}, (_, row) => ({
		...{start: row * width, shape: [1, width]},
		...{features: (first + row + 1) * whole, offset: (first + row) * whole + part * width},
	}));
}
