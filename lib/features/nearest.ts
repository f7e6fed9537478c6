/** A vector among others, and how far it is from the one that was asked for. */
export interface Neighbour {
	/** Its row. */
	readonly place: number;
	/** Euclidean. */
	readonly distance: number;
}

/**
 * The rows that are nearest to a vector, nearest first; of rows that are equally near the first.        paper 6.1, figure 4
 *
 * @param vector [width]
 * @param rows [N, width]
 * @param count at most
 */
export function nearest(vector: Float32Array, rows: Float32Array, count: number): Neighbour[] {
	const width = vector.length;
	const all = Array.from({length: rows.length / width}, (_, place): Neighbour => {
		let squares = 0;
		for (let index = 0; index < width; ++index) {
			squares += ((vector[index] ?? 0) - (rows[place * width + index] ?? 0)) ** 2;
		}
		return {place, distance: Math.sqrt(squares)};
	});
	return all.sort((first, second) => first.distance - second.distance).slice(0, count);
}
