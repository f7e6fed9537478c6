// Tensors as files have them: little-endian floats at any byte.

/** The floats of these bytes, copied: a file's may begin anywhere. */
export function floatsOf(bytes: Uint8Array): Float32Array<ArrayBuffer> {
	const values = new Float32Array(Math.floor(bytes.length / 4));
	new Uint8Array(values.buffer).set(bytes.subarray(0, values.byteLength));
	return values;
}
