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
}

/** Kernels that may miss a gate: a part of the name, and why that is well. */
export const excused: readonly {gate: string; kernel: string; reason: string}[] = [];

/** Instructions that must be issued while tensor cores multiply; above this they decide how long it takes. */
const mostSlots = 0.6;

export function missedGates(facts: Facts, gpus: readonly Gpu[]): Missed[] {
	const found = [...facts.kernels.flatMap(kernelGates), ...launchGates(facts, gpus)];
	const isExcused = ({gate, kernel}: Missed): boolean =>
		excused.some((entry) => entry.gate === gate && kernel.includes(entry.kernel));
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

/** By the namespace of what they are made of (cuda/gemm/mma/). */
export function usesTensorCores(kernel: string): boolean {
	return /\bmma::/.test(kernel);
}

function launchGates(facts: Facts, gpus: readonly Gpu[]): Missed[] {
	const missed = new Map<string, Missed>();
	for (const {trial, computeCapability, launches} of facts.operations) {
		for (const launch of launches) {
			const kernel = kernelOf(facts, launch, computeCapability);
			const of = {kernel: launch.kernel, computeCapability};
			const add = (gate: string, found: string): void => {
				missed.set([gate, launch.kernel, computeCapability].join('\n'), {...of, gate, found: `${found} (${trial})`});
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
				if (slots > mostSlots) add('issue slots', `${slots.toFixed(2)} of tensor time on an ${gpu.name}`);
			}
		}
	}
	return [...missed.values()];
}

export function blocksOf(launch: LaunchFacts, {registers, computeCapability}: KernelFacts): number {
	const limit = limits[computeCapability];
	return limit ? occupancyOf({...launch, registers}, limit).blocks : NaN;
}
