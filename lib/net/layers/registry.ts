// The kinds of layers. Whatever tells them apart does so by this registry or by a function for each, so that a kind which
// is forgotten anywhere does not compile.
import {byType, type Check} from '../../base/check.ts';
import {activate, type ActivateSpec} from './activate.ts';
import {conv2d, type ConvSpec} from './conv2d.ts';
import {dropout, type DropoutSpec} from './dropout.ts';
import type {LayerKind} from './kind.ts';
import {linear, type LinearSpec} from './linear.ts';
import {lrn, type LrnSpec} from './lrn.ts';
import {maxPool, type MaxPoolSpec} from './max-pool.ts';

/** A layer as plain data. */
export type LayerSpec = ConvSpec | LrnSpec | MaxPoolSpec | ActivateSpec | LinearSpec | DropoutSpec;

type SpecOf<Type extends LayerSpec['type']> = Extract<LayerSpec, {type: Type}>;

const kinds: {readonly [Type in LayerSpec['type']]: LayerKind<SpecOf<Type>>} = {
	...{conv2d, lrn, maxPool, activate},
	...{linear, dropout},
};

export const kindOf = ({type}: LayerSpec): LayerKind<LayerSpec> => kinds[type];

export const layerCheck: Check<LayerSpec> = byType<LayerSpec>({
	...{conv2d: conv2d.check, lrn: lrn.check, maxPool: maxPool.check, activate: activate.check},
	...{linear: linear.check, dropout: dropout.check},
});

/** A function for each kind of layer. */
export type ByKind<Rest extends readonly unknown[], Result> = {
	readonly [Type in LayerSpec['type']]: (spec: SpecOf<Type>, ...rest: Rest) => Result;
};

/** What the function for the layer's kind makes of it. */
export function byKind<Rest extends readonly unknown[], Result>(
	functions: ByKind<Rest, Result>,
	spec: LayerSpec,
	...rest: Rest
): Result {
	return (functions[spec.type] as (spec: LayerSpec, ...rest: Rest) => Result)(spec, ...rest);
}
