// How long a launch takes on a GPU that is not here: modelled, from facts about the kernel (kernel-facts.ts), the data
// sheet and assumptions (gpus.ts).
//   t = max(issue, fp32, tensor, shared, cache, memory) + gap
//   issue    sum over waves of warps / 4 * instructions / share(warps a scheduler)
//   fp32     FFMA / rate / share, tensor: HMMA / rate / share, shared: bytes / 128 a clock / share; by waves too
//   cache    blocks * (tile's rows + columns) * depth * bytes of an element / rate
//   memory   bytes that the operation cannot avoid / bandwidth / share
//   waves    the last one takes as long as its fullest multiprocessor; each has a prologue
// It knows neither how much stays in the cache between operations nor clocks that fall under load. Trust sums to a quarter.
import {assumptions, limits, type Gpu} from './gpus.ts';
import type {Facts, Instructions, KernelFacts, LaunchFacts, OperationFacts} from './kernel-facts.ts';
import {occupancyOf} from './occupancy.ts';
import {worksOf, worksOfOther, type OtherBatch, type Work} from './launch-work.ts';
import type {OperationTrial} from './operation.ts';
import {tileOf} from './tile.ts';

export type Limit = 'issue' | 'fp32' | 'tensor' | 'shared' | 'cache' | 'memory';

export interface Modelled {
	readonly microseconds: number;
	/** Of the launch that takes longest. */
	readonly by: Limit;
}

const lanes = 32;
const schedulers = 4;
/** Products of one HMMA instruction of bf16: 16 x 8 x 16. One of TF32 has half as many, and takes as long. */
const bf16Products = 2048;

/**
 * An operation's launches one after the other. Undefined where the facts are of another number of multiprocessors, or
 * there was no disassembler to count a product's instructions.
 *
 * @param other where nobody has listed the launches of a batch: they are taken to be the same, with products in proportion
 * and the bytes that the other batch cannot avoid. What smaller tiles and more splits would bring or cost is not in it.
 */
export function modelOf(
	operation: OperationFacts,
	facts: Facts,
	trial: OperationTrial,
	gpu: Gpu,
	other?: OtherBatch,
): Modelled | undefined {
	if (operation.computeCapability !== gpu.computeCapability) return undefined;
	if (operation.multiprocessors !== gpu.dataSheet.multiprocessors) return undefined;
	const works = other ? worksOfOther(operation, trial, other) : worksOf(operation, trial);
	const times: Modelled[] = [];
	for (const [index, launch] of operation.launches.entries()) {
		const kernel = kernelOf(facts, launch, operation.computeCapability);
		const time = kernel && launchTime(launch, kernel, works[index]!, gpu);
		if (!time) return undefined;
		times.push(time);
	}
	const longest = times.reduce((most, time) => (time.microseconds > most.microseconds ? time : most));
	return {microseconds: times.reduce((sum, {microseconds}) => sum + microseconds, 0), by: longest.by};
}

export function kernelOf(facts: Facts, launch: LaunchFacts, computeCapability: string): KernelFacts | undefined {
	return facts.kernels.find((fact) => fact.kernel === launch.kernel && fact.computeCapability === computeCapability);
}

function launchTime(launch: LaunchFacts, kernel: KernelFacts, work: Work, gpu: Gpu): Modelled | undefined {
	const limit = limits[gpu.computeCapability];
	if (!limit) return undefined;
	const clock = gpu.assumed.megahertz;
	const times = new Map<Limit, number>([
		['memory', (work.memoryBytes / gpu.dataSheet.gigabytesPerSecond / gpu.assumed.memoryShare) * 1e-3],
		['cache', (work.cacheBytes / gpu.assumed.cacheGigabytesPerSecond) * 1e-3],
	]);
	let prologues = 1;
	if (work.products > 0) {
		const loop = loopOf(kernel, launch);
		if (!loop) return undefined;
		const blocks = launch.grid[0] * launch.grid[1] * launch.grid[2];
		const {blocks: resident} = occupancyOf({...launch, registers: kernel.registers}, limit);
		const waves = wavesOf(blocks, resident, gpu.dataSheet.multiprocessors);
		for (const [bound, clocks] of clocksOf(work.products / blocks, loop, launch, limit.fp32PerClock, gpu)) {
			times.set(bound, waves.reduce((sum, inWave) => sum + clocks(inWave), 0) / clock);
		}
		prologues = waves.length;
	}
	const [by, most] = [...times].reduce((longest, entry) => (entry[1] > longest[1] ? entry : longest));
	const besides = (prologues * assumptions.prologueClocks) / clock + assumptions.gapMicroseconds;
	return {by, microseconds: most + besides};
}

/** Blocks on the fullest multiprocessor, in each wave. */
function wavesOf(blocks: number, resident: number, multiprocessors: number): number[] {
	const full = Math.floor(blocks / (resident * multiprocessors));
	const rest = blocks - full * resident * multiprocessors;
	return [...Array<number>(full).fill(resident), ...(rest > 0 ? [Math.ceil(rest / multiprocessors)] : [])];
}

/** Clocks that so many blocks on a multiprocessor take, by what they may be bound by. */
function clocksOf(
	products: number,
	loop: Instructions,
	{kernel, threads}: LaunchFacts,
	fp32PerClock: number,
	gpu: Gpu,
): [Limit, (blocks: number) => number][] {
	const {fp32Share, tensorShare, sharedShare, sharedBytesPerClock, issueShare} = assumptions;
	const usesTensorCores = loop.hmma > 0;
	const hmmaProducts = tileOf(kernel)?.hmmaProducts ?? bf16Products;
	const instructions = products / (usesTensorCores ? hmmaProducts : lanes);
	const perProduct = usesTensorCores ? loop.hmma : loop.ffma;
	const issue = (blocks: number): number => {
		const warps = Math.floor((blocks * threads) / lanes / schedulers);
		const share = issueShare[Math.max(1, Math.min(warps, issueShare.length - 1))]!;
		return (blocks * instructions * loop.all) / perProduct / schedulers / share;
	};
	const shared = (instructions * loop.sharedBytes) / perProduct / sharedBytesPerClock / sharedShare;
	if (!usesTensorCores) {
		return [
			['issue', issue],
			['fp32', (blocks) => (blocks * products) / fp32PerClock / fp32Share],
		];
	}
	return [
		['issue', issue],
		['tensor', (blocks) => (blocks * instructions * bf16Products) / (gpu.assumed.mmaPerClock ?? NaN) / tensorShare],
		['shared', (blocks) => blocks * shared],
	];
}

/** The loop over steps of the depth: with the loop inside it as often as a step's products demand. */
export function loopOf({kernel, inner, outer}: KernelFacts, {threads}: LaunchFacts): Instructions | undefined {
	if (!inner) return undefined;
	const tile = tileOf(kernel);
	if (!outer || !tile) return inner;
	const products = (tile.rows * tile.columns * tile.stepDepth) / (threads / lanes);
	const hmmaProducts = tile.hmmaProducts ?? bf16Products;
	const turns = inner.hmma > 0 ? products / hmmaProducts / inner.hmma : products / lanes / inner.ffma;
	const sum = (of: (counts: Instructions) => number): number => of(outer) + (turns - 1) * of(inner);
	return {
		all: sum(({all}) => all),
		ffma: sum(({ffma}) => ffma),
		hmma: sum(({hmma}) => hmma),
		sharedBytes: sum(({sharedBytes}) => sharedBytes),
	};
}

/** Of a loop on tensor cores: clocks in which a scheduler issues its instructions, by those that its products take. */
export function slotsOverTensorTime({all, hmma}: Instructions, {assumed}: Gpu): number {
	return (all * (assumed.mmaPerClock ?? NaN)) / schedulers / (hmma * bf16Products);
}
