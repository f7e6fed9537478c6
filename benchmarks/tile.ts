// Which tile of a product a block of a kernel computes: told by its template arguments, or by what its loop and its grid
// leave possible.
import type {KernelFacts, LaunchFacts} from './kernel-facts.ts';
import type {Product} from './operation.ts';

export interface Tile {
	readonly rows: number;
	readonly columns: number;
	/** Depth of a turn of the loop around the one that multiplies; left out where that is not known. */
	readonly stepDepth?: number;
}

/** What a step of the depth loads of a row on FP32 units (cuda/gemm/split_k.h). */
const stepBytes = 32;
/** Products of an HMMA, and the depth of a step on tensor cores. */
const hmmaProducts = 2048;
const mmaDepth = 32;
const lanes = 32;
const sides = [32, 48, 64, 96, 128, 192, 256];

export function tileOf(kernel: KernelFacts, launch: LaunchFacts, product: Product): Tile | undefined {
	const named = /Tile<(float|__nv_bfloat16), (\d+), (\d+)\b/.exec(kernel.kernel);
	if (named) {
		const [, type, rows, columns] = named;
		return {rows: Number(rows), columns: Number(columns), stepDepth: stepBytes / (type === 'float' ? 4 : 2)};
	}
	const hmma = kernel.outer?.hmma ?? kernel.inner?.hmma ?? 0;
	if (hmma === 0) return undefined;
	// A turn of the loop covers one or several steps; rows and columns must fit the grid.
	const areas = [1, 2, 3, 4].map((steps) => (hmma * hmmaProducts * launch.threads) / lanes / mmaDepth / steps);
	const fits = (side: number, size: number, tiles: number): boolean => Math.ceil(size / side) === tiles;
	for (const area of areas) {
		for (const rows of sides.toReversed()) {
			const columns = area / rows;
			const isOne = sides.includes(columns) && fits(rows, product.rows, launch.grid[0]);
			if (isOne && fits(columns, product.columns, launch.grid[1])) return {rows, columns};
		}
	}
	return undefined;
}
