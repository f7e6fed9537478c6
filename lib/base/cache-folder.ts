// Where what can be had again is kept.
import {homedir} from 'node:os';
import {isAbsolute, join} from 'node:path';

/** The user's own: alexnet-cuda in $XDG_CACHE_HOME, or in ~/.cache. */
export function cacheFolder(): string {
	const base = process.env.XDG_CACHE_HOME ?? '';
	// A relative one is to be ignored, the XDG specification says.
	return join(isAbsolute(base) ? base : join(homedir(), '.cache'), 'alexnet-cuda');
}
