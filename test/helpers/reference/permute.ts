/** Dimension i of the result is dimension axes[i] of the input. */
export function permute(
	shape: readonly number[],
	axes: readonly number[],
	input: Float64Array,
): {shape: number[]; values: Float64Array} {
	const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
	const resultShape = axes.map((axis) => shape[axis]!);
	const values = input.map((_, index) => {
		let rest = index;
		let source = 0;
		for (let i = axes.length - 1; i >= 0; i--) {
			source += (rest % resultShape[i]!) * strides[axes[i]!]!;
			rest = Math.floor(rest / resultShape[i]!);
		}
		return input[source]!;
	});
	return {shape: resultShape, values};
}
