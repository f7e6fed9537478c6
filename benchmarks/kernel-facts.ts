// What compiler, disassembler and launches say of the kernels: cuda/kernels.json, which `npm run kernels` writes. Facts
// alone; what they cost in time is modelled (model.ts).
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {packageRoot} from '../lib/base/package.ts';
import type {Precision} from '../lib/net/options.ts';

/** The instructions of a loop, or of a kernel: machine code, counted as it stands. */
export interface Instructions {
	readonly all: number;
	/** fp32 products (FFMA), and products of tensor cores (HMMA, each of 16 x 8 x 16). */
	readonly ffma: number;
	readonly hmma: number;
	/** Bytes that a warp moves between shared memory and registers, or from global into shared memory. */
	readonly sharedBytes: number;
}

/** A kernel's instance on one architecture. */
export interface KernelFacts {
	/** As in the source, with its template arguments: conv2dForwardKernel<Tile<float, 128, 128, 8, 2>, true, float>. */
	readonly kernel: string;
	/** In cuda/. */
	readonly file: string;
	/** "9.0" */
	readonly computeCapability: string;
	readonly registers: number;
	/** Bytes of a thread: stack frame, stores and loads of registers that did not fit. */
	readonly spills: number;
	/** Blocks on a multiprocessor that its launch bounds ask for. */
	readonly plannedBlocks?: number;
	/** Without a disassembler there are no counts. */
	readonly code?: Instructions;
	/**
	 * The innermost loop that multiplies, and the loop around it, of which it is a part; left out where there is none, or
	 * no disassembler.
	 */
	readonly inner?: Instructions;
	readonly outer?: Instructions;
}

export interface LaunchFacts {
	readonly kernel: string;
	readonly grid: readonly [number, number, number];
	/** Of a block. */
	readonly threads: number;
	readonly sharedBytes: number;
}

/** What an operation of the net launches on a GPU. */
export interface OperationFacts {
	readonly trial: string;
	readonly precision: Precision;
	readonly batchSize: number;
	readonly computeCapability: string;
	readonly multiprocessors: number;
	readonly launches: readonly LaunchFacts[];
}

export interface Facts {
	readonly compiler: string;
	/** Left out where none was found. */
	readonly disassembler?: string;
	readonly kernels: readonly KernelFacts[];
	readonly operations: readonly OperationFacts[];
}

export function factsFile(): string {
	return join(packageRoot(), 'cuda/kernels.json');
}

export function readFacts(file = factsFile()): Facts {
	return JSON.parse(readFileSync(file, 'utf8')) as Facts;
}
