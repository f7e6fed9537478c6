// Seeded random inputs on the host.

/** xorshift32 (Marsaglia 2003): fast enough for batches of pictures. */
function* xorshift(seed: number): Generator<number, never> {
	let state = seed >>> 0 || 1;
	for (;;) {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		yield state >>> 0;
	}
}

export function randomBytes(length: number, seed: number): Uint8Array {
	const draws = xorshift(seed);
	const words = new Uint32Array(Math.ceil(length / 4));
	for (let index = 0; index < words.length; ++index) words[index] = draws.next().value;
	return new Uint8Array(words.buffer, 0, length);
}

export function randomLabels(length: number, classes: number, seed: number): Int32Array {
	const draws = xorshift(seed);
	return Int32Array.from({length}, () => draws.next().value % classes);
}
