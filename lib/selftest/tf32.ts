// TF32 on the host: a float with the upper 10 bits of its fraction, rounded to nearest, ties away from zero.

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The TF32 number nearest to a float; what is no finite number stays as it is. */
export function toTf32(value: number): number {
	if (!Number.isFinite(value)) return value;
	float[0] = value;
	bits[0] = (bits[0]! + 0x1000) & ~0x1fff;
	return float[0];
}
