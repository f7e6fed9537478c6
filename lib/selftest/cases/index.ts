import type {Architecture} from '../../net/architecture.ts';
import {realTypes} from '../bfloat16.ts';
import type {CasesOf, CheckedOperation, OperationCase} from '../operation-case.ts';
import {activateCases} from './activate.ts';
import {convolutionCases} from './convolution.ts';
import {dataCases} from './data.ts';
import {dropoutCases} from './dropout.ts';
import {elementwiseCases} from './elementwise.ts';
import {layerGeometries, type LayerGeometries} from './layers.ts';
import {linearCases} from './linear.ts';
import {lossCases} from './loss.ts';
import {lrnMaxPoolCases} from './lrn-max-pool.ts';
import {lrnCases} from './lrn.ts';
import {maxPoolCases} from './max-pool.ts';

/** Pictures at once, of the layers at their real size. */
const images = 2;

const none: LayerGeometries = {augment: [], convolution: [], lrn: [], maxPool: [], lrnMaxPool: [], linear: []};

const lists: CasesOf<CheckedOperation> = {
	...dataCases,
	...convolutionCases,
	...linearCases,
	...activateCases,
	...elementwiseCases,
	...dropoutCases,
	...lrnCases,
	...maxPoolCases,
	...lrnMaxPoolCases,
	...lossCases,
};

export const checkedOperations = Object.keys(lists) as CheckedOperation[];

/**
 * An operation's cases in both precisions, for tests alone ones among them.
 *
 * @param net whose layers to check at their real size besides the small shapes
 */
export function casesOf(operation: CheckedOperation, net?: Architecture): readonly OperationCase[] {
	const layers = net ? layerGeometries(net, images) : none;
	return realTypes.flatMap((type) => lists[operation](type, layers));
}

/** What a selftest runs, operation by operation. */
export function operationCases(net?: Architecture): ReadonlyMap<CheckedOperation, readonly OperationCase[]> {
	return new Map(
		checkedOperations.map((operation) => [operation, casesOf(operation, net).filter(({testsOnly}) => !testsOnly)]),
	);
}
