// Numbers as files have them: little-endian floats at any byte.

/** The floats of these bytes, copied: a file's may begin anywhere. */
export function floatsOf(bytes: Uint8Array): Float32Array<ArrayBuffer> {
	const values = new Float32Array(Math.floor(bytes.length / 4));
	new Uint8Array(values.buffer).set(bytes.subarray(0, values.byteLength));
	return values;
}

/** The decimal that was meant: 0.0001, where the nearest float is 0.00009999999747. */
export function shortest(float: number): number {
	for (let digits = 6; digits < 9; ++digits) {
		const value = Number(float.toPrecision(digits));
		if (Math.fround(value) === float) return value;
	}
	return float;
}

/** LRN's alpha for each value of a window, where a file has it for the whole. Twelve digits take away what multiplying added. */
export function perValue(alpha: number, size: number): number {
	return Number((alpha / size).toPrecision(12));
}
