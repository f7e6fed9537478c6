/** How many classes stand before `label`: those with a greater value, and lower ones with the same. NaN is last. */
export function rank(values: Float32Array, label: number): number {
	const own = values[label] ?? NaN;
	if (Number.isNaN(own)) return values.length;
	let before = 0;
	for (let index = 0; index < values.length; ++index) {
		const value = values[index] ?? NaN;
		if (value > own || (value === own && index < label)) ++before;
	}
	return before;
}

/** Indices of the `count` greatest values, best first; ties go to the lower index. */
export function best(values: Float32Array, count: number): number[] {
	const order = Array.from(values.keys());
	order.sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
	return order.slice(0, count);
}
