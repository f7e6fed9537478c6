// What presets are written in: a line for each layer. Where a net may differ from its preset, the parts see to it.
import type {Activation} from '../../device/operations.ts';
import {initials, type Init} from '../initial.ts';
import type {ActivateSpec} from '../layers/activate.ts';
import type {ConvSpec} from '../layers/conv2d.ts';
import type {NamedLayer} from '../layers/kind.ts';
import type {LinearSpec} from '../layers/linear.ts';
import type {LrnSpec} from '../layers/lrn.ts';
import type {LayerSpec} from '../layers/registry.ts';

/** A net before its options. */
export interface PresetNet {
	/** Whose net it is, and what sets it apart. */
	readonly about: string;
	/** Side of the crop that the net sees. */
	readonly crop: number;
	/** Where nobody asks for the half-size net. */
	readonly columns: 1 | 2;
	/** How weights and biases start where nobody says otherwise. */
	readonly init: Init;
	/** Of all its LRN layers. */
	readonly lrn?: Omit<LrnSpec, keyof NamedLayer<'lrn'>>;
	layers(parts: Parts, net: {readonly columns: number; readonly classes: number}): LayerSpec[];
}

/** What the options of a net decide. */
export interface Choice {
	readonly init: Init;
	readonly activation: Exclude<Activation, 'none'>;
	/** Left out for nets without. */
	readonly lrn: PresetNet['lrn'] | undefined;
	readonly pooling: '3/2' | '2/2';
	/** 0 for nets without. */
	readonly dropout: number;
}

export class Parts {
	readonly #choice: Choice;

	constructor(choice: Choice) {
		this.#choice = choice;
	}

	/** Padded to keep the size, where the shape does not say otherwise. */
	conv(name: string, kernels: number, shape: Pick<ConvSpec, 'size' | 'reads'> & Partial<ConvSpec>): ConvSpec {
		const {init, activation} = this.#choice;
		const pad = (shape.size - 1) / 2;
		const rest = {stride: 1, pads: [pad, pad, pad, pad] as const, activation, initial: initials[init](name)};
		return {type: 'conv2d', name, kernels, ...rest, ...shape};
	}

	lrn(name: string): LayerSpec[] {
		const {lrn} = this.#choice;
		return lrn ? [{type: 'lrn', name, ...lrn}] : [];
	}

	pool(name: string): LayerSpec {
		return {type: 'maxPool', name, size: this.#choice.pooling === '3/2' ? 3 : 2, stride: 2};
	}

	/** The activation of a layer that has `activation: 'none'`. */
	activate(name: string): ActivateSpec {
		return {type: 'activate', name, activation: this.#choice.activation};
	}

	linear(name: string, outputs: number, activation: Activation = this.#choice.activation): LinearSpec {
		return {type: 'linear', name, outputs, activation, initial: initials[this.#choice.init](name)};
	}

	dropout(name: string): LayerSpec[] {
		const {dropout} = this.#choice;
		return dropout > 0 ? [{type: 'dropout', name, rate: dropout}] : [];
	}
}
