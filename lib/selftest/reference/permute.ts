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

/** The elements of a box of a tensor, from `start` on. */
export function box(
	shape: readonly number[],
	start: readonly number[],
	size: readonly number[],
	values: Float64Array,
): Float64Array {
	const inside = (index: number): boolean => {
		let rest = index;
		for (let axis = shape.length - 1; axis >= 0; axis--) {
			const place = (rest % shape[axis]!) - start[axis]!;
			if (place < 0 || place >= size[axis]!) return false;
			rest = Math.floor(rest / shape[axis]!);
		}
		return true;
	};
	return values.filter((_, index) => inside(index));
}
