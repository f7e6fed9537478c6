// Which tile of a product a block of a kernel computes, as the kernel's template arguments tell it.
export interface Tile {
	readonly rows: number;
	readonly columns: number;
	/** Depth of a K step, which is a turn of the loop around the one that multiplies. */
	readonly stepDepth: number;
	/** Products of an HMMA instruction; left out on FP32 units. */
	readonly hmmaProducts?: number;
}

/** What a K step loads of a row: on FP32 units (cuda/gemm/split_k.h), and on tensor cores (cuda/gemm/mma/tiling.h). */
const stepBytes = {fp32: 32, tensor: 64};
/** mma.m16n8k16 of bf16, or m16n8k8 of TF32: 32 bytes of the depth. */
const hmmaOutputs = 16 * 8;
const hmmaBytes = 32;

/** Undefined for kernels without: conv1's on FP32 units, a matrix times a vector. */
export function tileOf(kernel: string): Tile | undefined {
	const [, type, rows, columns] = /\bTile<(float|__nv_bfloat16), (\d+), (\d+)\b/.exec(kernel) ?? [];
	if (type !== undefined) {
		return {rows: Number(rows), columns: Number(columns), stepDepth: stepBytes.fp32 / bytesOf(type)};
	}
	const [, mmaRows, mmaColumns, element] = /\bmma::Tile<k(\d+)x(\d+), (float|__nv_bfloat16)>/.exec(kernel) ?? [];
	if (mmaRows === undefined || element === undefined) return undefined;
	const bytes = bytesOf(element);
	return {
		...{rows: Number(mmaRows), columns: Number(mmaColumns), stepDepth: stepBytes.tensor / bytes},
		hmmaProducts: (hmmaOutputs * hmmaBytes) / bytes,
	};
}

const bytesOf = (type: string): number => (type === 'float' ? 4 : 2);
