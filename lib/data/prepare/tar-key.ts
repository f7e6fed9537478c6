/** WebDataset: files that belong together share their path up to the first dot of its last part. */
export function keyOf(name: string): string {
	const dot = name.indexOf('.', name.lastIndexOf('/') + 1);
	return dot < 0 ? name : name.slice(0, dot);
}
