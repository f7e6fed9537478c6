// Definitions that take long are worked out in pieces, so that timers and signals have their turn between.
import {setImmediate} from 'node:timers/promises';

/** Yields between pieces and returns the result. */
export type Pieces<T> = Generator<undefined, T, undefined>;

const millisecondsOfTurn = 20;

/** Works the pieces out, and lets others have a turn now and then. */
export async function inTurns<T>(pieces: Pieces<T>): Promise<T> {
	let start = performance.now();
	for (;;) {
		const {done, value} = pieces.next();
		if (done === true) return value;
		if (performance.now() - start < millisecondsOfTurn) continue;
		await setImmediate();
		start = performance.now();
	}
}
