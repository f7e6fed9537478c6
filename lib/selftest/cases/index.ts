import type {Architecture} from '../../net/architecture.ts';
import {realTypes} from '../bfloat16.ts';
import type {OperationCase} from '../operation-case.ts';
import {convolutionCases} from './convolution.ts';
import {dataCases} from './data.ts';
import {elementwiseCases} from './elementwise.ts';
import {layerGeometries, type LayerGeometries} from './layers.ts';
import {linearCases} from './linear.ts';
import {lossCases} from './loss.ts';
import {lrnCases} from './lrn.ts';
import {maxPoolCases} from './max-pool.ts';

/** Pictures at once, of the layers at their real size. */
const images = 2;

const none: LayerGeometries = {augment: [], convolution: [], lrn: [], maxPool: [], linear: []};

/**
 * Every operation's cases in both precisions, operation by operation.
 *
 * @param net whose layers to check at their real size besides the small shapes
 */
export function operationCases(net?: Architecture): ReadonlyMap<string, readonly OperationCase[]> {
	const layers = net ? layerGeometries(net, images) : none;
	const all = realTypes.flatMap((type) => [
		...dataCases(type, layers.augment),
		...convolutionCases(type, layers.convolution),
		...linearCases(type, layers.linear),
		...elementwiseCases(type),
		...lrnCases(type, layers.lrn),
		...maxPoolCases(type, layers.maxPool),
		...lossCases(type),
	]);
	const byOperation = new Map<string, OperationCase[]>();
	for (const one of all) byOperation.set(one.operation, [...(byOperation.get(one.operation) ?? []), one]);
	return byOperation;
}
