// What must hold of every kernel on every architecture, as far as it can be told without a GPU.
import {limits, type Gpu} from '../../benchmarks/gpus.ts';
import type {Facts, KernelFacts, LaunchFacts} from '../../benchmarks/kernel-facts.ts';
import {kernelOf, loopOf, slotsOverTensorTime} from '../../benchmarks/model.ts';
import {occupancyOf} from '../../benchmarks/occupancy.ts';

export interface Missed {
	readonly gate: string;
	readonly kernel: string;
	readonly computeCapability: string;
	readonly found: string;
	/** Of the gate's measure, where it has one. */
	readonly value?: number;
}

/** Kernels that may miss a gate, by how much, and why. */
interface Excuse {
	readonly gate: string;
	readonly kernel: RegExp;
	/** Of the gate's measure. */
	readonly most?: number;
	readonly computeCapabilities?: readonly string[];
	readonly reason: string;
}

export const excused: readonly Excuse[] = [
	{
		gate: 'occupancy',
		kernel: /MmaKernel<mma::Tile<(k64x64|k256x48),/,
		computeCapabilities: ['8.6', '8.9', '12.0'],
		reason:
			'100 KB of shared memory hold fewer rings of stages than the launch bounds plan, which bound registers alone',
	},
	{
		gate: 'issue slots',
		kernel: /MmaKernel<mma::Tile<k64x64,/,
		most: 1.85,
		reason: 'a small tile has few products for its addresses; it is for small products only',
	},
	{
		gate: 'issue slots',
		kernel: /MmaKernel<mma::Tile<k\d+x\d+, float>>/,
		most: 1.32,
		reason: 'known: of TF32 every word is rounded by an instruction, and an HMMA has half the products',
	},
	{
		gate: 'issue slots',
		kernel: /conv2dBackwardInputMmaKernel/,
		most: 0.88,
		reason: 'known: addresses of windows of the output are reckoned in the loop',
	},
	{
		gate: 'issue slots',
		kernel: /conv2dBackwardWeightsMmaKernel/,
		most: 0.75,
		reason: "known: pixels of the depth are looked up in the loop, and warps choose whose bias's gradient they sum",
	},
];

/** Instructions that must be issued while tensor cores multiply; above this they decide how long it takes. */
const mostSlots = 0.6;

export function missedGates(facts: Facts, gpus: readonly Gpu[]): Missed[] {
	const found = [...facts.kernels.flatMap(kernelGates), ...launchGates(facts, gpus)];
	const isExcused = ({gate, kernel, computeCapability, value = 0}: Missed): boolean =>
		excused.some((excuse) => {
			const isHere = excuse.computeCapabilities?.includes(computeCapability) ?? true;
			return excuse.gate === gate && isHere && excuse.kernel.test(kernel) && value <= (excuse.most ?? Infinity);
		});
	return found.filter((missed) => !isExcused(missed));
}

function kernelGates({kernel, computeCapability, spills, code, registers}: KernelFacts): Missed[] {
	const of = {kernel, computeCapability};
	const missed: Missed[] = [];
	if (spills > 0) missed.push({...of, gate: 'no spills', found: `${spills} bytes with ${registers} registers`});
	// Below 8.0 they have no body.
	if (usesTensorCores(kernel) && Number(computeCapability) >= 8 && code?.hmma === 0) {
		missed.push({...of, gate: 'tensor cores', found: 'no HMMA in its machine code'});
	}
	return missed;
}

export function usesTensorCores(kernel: string): boolean {
	return kernel.includes('MmaKernel<');
}

function launchGates(facts: Facts, gpus: readonly Gpu[]): Missed[] {
	const missed = new Map<string, Missed>();
	for (const {trial, computeCapability, launches} of facts.operations) {
		for (const launch of launches) {
			const kernel = kernelOf(facts, launch, computeCapability);
			const of = {kernel: launch.kernel, computeCapability};
			const add = (gate: string, found: string, value?: number): void => {
				const key = [gate, launch.kernel, computeCapability].join('\n');
				missed.set(key, {...of, gate, found: `${found} (${trial})`, ...(value !== undefined && {value})});
			};
			if (!kernel) {
				add('known', 'it was launched, and not compiled');
				continue;
			}
			const held = blocksOf(launch, kernel);
			if (held < (kernel.plannedBlocks ?? 1)) {
				add('occupancy', `${held} blocks on a multiprocessor, launch bounds plan ${kernel.plannedBlocks ?? 1}`);
			}
			const loop = loopOf(kernel, launch);
			if (!loop || loop.hmma === 0) continue;
			for (const gpu of gpus.filter((each) => each.computeCapability === computeCapability)) {
				const slots = slotsOverTensorTime(loop, gpu);
				if (slots > mostSlots) add('issue slots', `${slots.toFixed(2)} of tensor time on an ${gpu.name}`, slots);
			}
		}
	}
	return [...missed.values()];
}

export function blocksOf(launch: LaunchFacts, {registers, computeCapability}: KernelFacts): number {
	const limit = limits[computeCapability];
	return limit ? occupancyOf({...launch, registers}, limit).blocks : NaN;
}
