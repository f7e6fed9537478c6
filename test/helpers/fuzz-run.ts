/** What ALEXNET_FUZZ_SEED says, or another seed each time: a run that failed logs its own. */
export const fuzzSeed = (): string => process.env.ALEXNET_FUZZ_SEED ?? String(Math.random());

/** How many files go wrong, or ranks are killed: as many as ALEXNET_FUZZ_COUNT says, or `usually`. */
export const fuzzCount = (usually: number): number => Number(process.env.ALEXNET_FUZZ_COUNT ?? usually);

/** Of processor time: on a busy machine others have theirs in between. */
export function millisecondsSince(start: NodeJS.CpuUsage): number {
	const {user, system} = process.cpuUsage(start);
	return (user + system) / 1000;
}
