// Constructors that only the package calls: TypeScript's `private` ends with compilation.
import {AlexNetError} from './errors.ts';

/** What such a constructor is handed first. */
export const permit = Symbol('permit');
export type Permit = typeof permit;

/**
 * @param maker what to call instead
 * @throws ALEXNET_ARGUMENT where a constructor was called from outside.
 */
export function requirePermit(given: unknown, name: string, maker: string): void {
	if (given === permit) return;
	throw new AlexNetError(
		'ALEXNET_ARGUMENT',
		`${name} has no constructor for callers: use ${maker}, not new ${name}().`,
	);
}
