// bfloat16 on the host: the upper half of a float, rounded to nearest, ties to even.

/** The types an activation can have. */
export type RealType = 'float32' | 'bfloat16';
export const realTypes: readonly RealType[] = ['float32', 'bfloat16'];

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The sixteen bits of the bfloat16 nearest to a float. NaN becomes the quiet NaN. */
export function toBfloat16(value: number): number {
	if (Number.isNaN(value)) return 0x7fc0;
	float[0] = value;
	const word = bits[0]!;
	return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}

/** The number that sixteen bits stand for. */
export function fromBfloat16(half: number): number {
	bits[0] = half << 16;
	return float[0]!;
}

/** The value that is left when a number is stored as a type. */
export function roundTo(dataType: RealType, value: number): number {
	return dataType === 'float32' ? Math.fround(value) : fromBfloat16(toBfloat16(value));
}
