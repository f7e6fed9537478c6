// Settings of sharp are a process's. Programs of this package make them; importing it leaves a user's as they are.
import sharp from 'sharp';

/**
 * Pictures run beside each other on libuv's threads, so one thread per picture is enough; and no picture is decoded twice
 * in a row, so libvips' cache of operations would only hold memory.
 */
export function setUpSharp(): void {
	sharp.concurrency(1);
	sharp.cache(false);
}
