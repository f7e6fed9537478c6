// Layers that callers and files name.
import {kindOf, type LayerSpec} from './layers/registry.ts';
import {shortened, suggestion} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';

/** @throws ALEXNET_ARGUMENT where no layer has this name; the message names the nearest. */
export function requireLayer(layers: readonly LayerSpec[], name: string): LayerSpec {
	const found = layers.find((layer) => layer.name === name);
	if (found) return found;
	const names = layers.map((layer) => layer.name);
	const advice = suggestion(name, names) ?? `There are: ${names.join(', ')}.`;
	throw new AlexNetError('ALEXNET_ARGUMENT', `The net has no layer '${shortened(name)}'. ${advice}`);
}

/**
 * Checks that layers can keep their weights while the net learns.
 *
 * @throws ALEXNET_ARGUMENT where a layer is not there or has no weights, and where none is left that learns.
 */
export function requireFreezable(layers: readonly LayerSpec[], frozen: readonly string[]): void {
	const withWeights = layers.filter((layer) => 'weightShape' in kindOf(layer)).map(({name}) => name);
	for (const name of frozen) {
		if (withWeights.includes(requireLayer(layers, name).name)) continue;
		const message = `${name} cannot be frozen, as it has no weights. Those that have: ${withWeights.join(', ')}.`;
		throw new AlexNetError('ALEXNET_ARGUMENT', message);
	}
	if (withWeights.some((name) => !frozen.includes(name))) return;
	const message = `All layers with weights are frozen (${frozen.join(', ')}): none is left to learn. Leave one out of freeze.`;
	throw new AlexNetError('ALEXNET_ARGUMENT', message);
}
