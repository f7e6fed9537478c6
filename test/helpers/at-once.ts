import type {Pieces} from '../../lib/selftest/pieces.ts';

/** Works all pieces out at once. */
export function atOnce<T>(pieces: Pieces<T>): T {
	for (;;) {
		const {done, value} = pieces.next();
		if (done === true) return value;
	}
}
