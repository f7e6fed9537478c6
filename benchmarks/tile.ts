// Which tile of a product a block of a kernel computes, as the kernel's template arguments tell it.
export interface Tile {
	readonly rows: number;
	readonly columns: number;
	/** Depth of a K step, which is a turn of the loop around the one that multiplies. */
	readonly stepDepth: number;
}

/** What a K step loads of a row on FP32 units (cuda/gemm/split_k.h), and its depth on tensor cores (cuda/gemm/mma/). */
const stepBytes = 32;
const mmaDepth = 32;

/** Undefined for kernels without: conv1's on FP32 units, a matrix times a vector. */
export function tileOf(kernel: string): Tile | undefined {
	const [, type, rows, columns] = /\bTile<(float|__nv_bfloat16), (\d+), (\d+)\b/.exec(kernel) ?? [];
	if (type !== undefined) {
		return {rows: Number(rows), columns: Number(columns), stepDepth: stepBytes / (type === 'float' ? 4 : 2)};
	}
	const [, mmaRows, mmaColumns] = /\bmma::Tile<k(\d+)x(\d+)>/.exec(kernel) ?? [];
	return mmaRows === undefined ? undefined : {rows: Number(mmaRows), columns: Number(mmaColumns), stepDepth: mmaDepth};
}
