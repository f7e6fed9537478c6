/** The bits of a float's exponent. All of them are set in NaN and in the infinities alone. */
const exponent = 0x7f800000;

/** Whether all values are finite numbers. */
export function allFinite(values: Float32Array): boolean {
	const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
	let overflowed = 0;
	// One more in a full exponent runs over into the sign. By index: an iterator is eight times slower.
	for (let index = 0; index < bits.length; ++index) overflowed |= (((bits[index] ?? 0) & exponent) + 0x00800000) | 0;
	return overflowed >= 0;
}
