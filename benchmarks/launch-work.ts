// What each launch of an operation has to do: which products, and which bytes. An operation on a product is one launch of
// it, or several one after the other on parts of the batch, with launches around them that prepare operands and add up
// partial sums.
import type {LaunchFacts, OperationFacts} from './kernel-facts.ts';
import type {OperationTrial, Product} from './operation.ts';
import {tileOf, type Tile} from './tile.ts';

export interface Work {
	/** From and to memory, at least. */
	readonly memoryBytes: number;
	/** Between the cache and the multiprocessors, where that is more. */
	readonly cacheBytes: number;
	/** Products, those beyond the edges of tiles too; 0 for a launch of another kind. */
	readonly products: number;
}

const fp32Bytes = 4;
/** A window of conv1 as tensor cores take it: 11 x 11 on 3 channels becomes 3 x 3 on 48 (cuda/kernels/conv1_mma.cu). */
const unfoldedWindow = 432;
/** What a thread of unfoldPicturesKernel writes: four pixels of three values. */
const unfoldedValues = 12;

/** Prepares operands or adds up, around the launches that do an operation's work. */
export function isSecondary({kernel}: LaunchFacts): boolean {
	return /^(sumPartials|sumRows|(mma::)?(unfold|fold))/.test(kernel);
}

/** The same operation on another batch than the facts are of. */
export interface OtherBatch {
	readonly trial: OperationTrial;
	/** Its pictures, by those of the facts. */
	readonly share: number;
}

/** A value for each launch. */
export function worksOf({launches}: OperationFacts, trial: OperationTrial): Work[] {
	const all = Object.values(trial.tensors).reduce((sum, {bytes}) => sum + bytes, 0);
	const main = launches.filter((launch) => !isSecondary(launch));
	const product = trial.product && productOn(launches, trial);
	const partials = product ? main.reduce((sum, launch) => sum + partialBytes(launch, product), 0) : 0;
	const adding = launches.findIndex(({kernel}) => /^(sumPartials|(mma::)?fold)/.test(kernel));
	return launches.map((launch, index) => {
		const {kernel} = launch;
		const none = {memoryBytes: 0, cacheBytes: 0, products: 0};
		if (kernel.startsWith('sumRows')) return {...none, cacheBytes: trial.tensors.outputGradient?.bytes ?? 0};
		if (kernel.includes('unfoldPictures'))
			return {...none, cacheBytes: threadsOf(launch) * unfoldedValues * (product?.elementBytes ?? 0)};
		if (isSecondary(launch)) return index === adding ? {...none, cacheBytes: partials} : none;
		// Of several kernels that are no product, the first one moves the tensors.
		if (!product) return index === 0 ? {...none, memoryBytes: all} : none;
		return {memoryBytes: all / main.length, ...workOf(launch, product, main.length)};
	});
}

/** As worksOf(), of another batch; see {@link OtherBatch}. */
export function worksOfOther(
	operation: OperationFacts,
	trial: OperationTrial,
	{trial: other, share}: OtherBatch,
): Work[] {
	const asked = worksOf(operation, other);
	return worksOf(operation, trial).map(({cacheBytes, products}, index) => {
		const {memoryBytes, cacheBytes: own} = asked[index]!;
		const launch = operation.launches[index]!;
		// What adds up partial sums of weights has as many for any batch.
		const isInProportion = !isSecondary(launch) || launch.kernel.includes('unfold');
		return {memoryBytes, products: share * products, cacheBytes: isInProportion ? share * cacheBytes : own};
	});
}

function productOn(launches: readonly LaunchFacts[], {product}: OperationTrial): Product | undefined {
	if (!product || !launches.some(({kernel}) => kernel.includes('unfoldPictures'))) return product;
	// The window is the depth of the forward pass, and the columns of the weight gradient.
	const isForward = product.rows > product.depth;
	return isForward ? {...product, depth: unfoldedWindow} : {...product, columns: unfoldedWindow};
}

const threadsOf = ({grid, threads}: LaunchFacts): number => grid[0] * grid[1] * grid[2] * threads;

/** With split-K, of all splits. */
function partialBytes({grid}: LaunchFacts, {rows, columns, groups}: Product): number {
	return grid[2] * rows * columns * fp32Bytes * (grid[2] > groups ? 1 : 0);
}

/** One of `parts` launches, which divide the rows where a launch's tiles do not cover them, else the depth. */
function workOf(
	{kernel, grid}: LaunchFacts,
	{rows, columns, depth, groups, elementBytes}: Product,
	parts: number,
): Omit<Work, 'memoryBytes'> {
	const tile: Tile | undefined = tileOf(kernel);
	if (!tile) return {products: (rows * columns * depth * groups) / parts, cacheBytes: 0};
	const depthHere = grid[0] * tile.rows >= rows ? depth / parts : depth;
	const tiles = grid[0] * grid[1] * groups;
	return {
		products: tiles * tile.rows * tile.columns * depthHere,
		cacheBytes: tiles * (tile.rows + tile.columns) * depthHere * elementBytes,
	};
}
