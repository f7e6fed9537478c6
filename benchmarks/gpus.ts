// What is known of GPUs, in one place: what their makers print, and what the model (model.ts) assumes besides.
import type {Precision} from '../lib/net/options.ts';

/** Printed by the maker: facts, though of the best case. Without sparsity. */
export interface DataSheet {
	readonly multiprocessors: number;
	/** Boost clock. */
	readonly megahertz: number;
	/** Memory's bandwidth. */
	readonly gigabytesPerSecond: number;
	/** Products and sums a second, in units of 10^12, of FP32 units and of tensor cores that sum in fp32. */
	readonly teraflops: {readonly fp32: number; readonly tf32?: number; readonly bf16?: number};
	readonly cacheMegabytes: number;
	readonly source: string;
}

/** Nobody prints these; each is a guess that a measurement should replace. */
export interface Assumed {
	/** Clock under load. */
	readonly megahertz: number;
	/** Share of the memory's bandwidth that a good kernel reaches. */
	readonly memoryShare: number;
	/** From the second-level cache. */
	readonly cacheGigabytesPerSecond: number;
	/** bf16 products that a multiprocessor's tensor cores take in a clock through mma.sync; of TF32 half as many. */
	readonly mmaPerClock?: number;
	readonly source: string;
}

export interface Gpu {
	/** As the tables call it. */
	readonly name: string;
	/** Names of the boards, as the driver tells them. */
	readonly boards: RegExp;
	/** "9.0" */
	readonly computeCapability: string;
	readonly dataSheet: DataSheet;
	readonly assumed: Assumed;
}

const h100 = {megahertz: 1800, memoryShare: 0.87, cacheGigabytesPerSecond: 5500, mmaPerClock: 1355};
const hopper =
	'measured on an H200: products by the time that its tensor cores are active, clocks by cycles of kernels, memory by a copy; cache guessed';
const guessed = 'guessed; tensor cores as the data sheet has them';

export const gpus: readonly Gpu[] = [
	{
		name: 'T4',
		boards: /\bT4$/,
		computeCapability: '7.5',
		dataSheet: {
			...{multiprocessors: 40, megahertz: 1590, gigabytesPerSecond: 320, cacheMegabytes: 4},
			teraflops: {fp32: 8.1},
			source: 'NVIDIA T4 data sheet',
		},
		assumed: {megahertz: 1590, memoryShare: 0.8, cacheGigabytesPerSecond: 1100, source: guessed},
	},
	{
		name: 'A100 80GB',
		boards: /\bA100-SXM4-80GB$/,
		computeCapability: '8.0',
		dataSheet: {
			...{multiprocessors: 108, megahertz: 1410, gigabytesPerSecond: 2039, cacheMegabytes: 40},
			teraflops: {fp32: 19.5, tf32: 156, bf16: 312},
			source: 'NVIDIA A100 data sheet, SXM 80 GB',
		},
		assumed: {megahertz: 1410, memoryShare: 0.9, cacheGigabytesPerSecond: 4200, mmaPerClock: 1000, source: guessed},
	},
	{
		name: 'RTX 3090',
		boards: /\bRTX 3090$/,
		computeCapability: '8.6',
		dataSheet: {
			...{multiprocessors: 82, megahertz: 1695, gigabytesPerSecond: 936, cacheMegabytes: 6},
			teraflops: {fp32: 35.6, tf32: 35.6, bf16: 71},
			source: 'NVIDIA Ampere GA102 whitepaper',
		},
		assumed: {megahertz: 1695, memoryShare: 0.9, cacheGigabytesPerSecond: 2400, mmaPerClock: 256, source: guessed},
	},
	{
		name: 'RTX 4090',
		boards: /\bRTX 4090$/,
		computeCapability: '8.9',
		dataSheet: {
			...{multiprocessors: 128, megahertz: 2520, gigabytesPerSecond: 1008, cacheMegabytes: 72},
			teraflops: {fp32: 82.6, tf32: 82.6, bf16: 165.2},
			source: 'NVIDIA Ada GPU architecture whitepaper',
		},
		assumed: {megahertz: 2520, memoryShare: 0.92, cacheGigabytesPerSecond: 5000, mmaPerClock: 256, source: guessed},
	},
	{
		name: 'H100',
		boards: /\bH100 80GB HBM3$/,
		computeCapability: '9.0',
		dataSheet: {
			...{multiprocessors: 132, megahertz: 1980, gigabytesPerSecond: 3350, cacheMegabytes: 50},
			teraflops: {fp32: 67, tf32: 495, bf16: 989},
			source: 'NVIDIA H100 data sheet, SXM',
		},
		assumed: {...h100, source: hopper},
	},
	{
		name: 'H200',
		boards: /\bH200$/,
		computeCapability: '9.0',
		dataSheet: {
			...{multiprocessors: 132, megahertz: 1980, gigabytesPerSecond: 4800, cacheMegabytes: 50},
			teraflops: {fp32: 67, tf32: 495, bf16: 989},
			source: 'NVIDIA H200 data sheet, SXM',
		},
		assumed: {...h100, source: hopper},
	},
	{
		name: 'RTX 5090',
		boards: /\bRTX 5090$/,
		computeCapability: '12.0',
		dataSheet: {
			...{multiprocessors: 170, megahertz: 2407, gigabytesPerSecond: 1792, cacheMegabytes: 96},
			teraflops: {fp32: 104.8, tf32: 104.8, bf16: 209.5},
			source: 'NVIDIA RTX Blackwell GPU architecture whitepaper',
		},
		assumed: {megahertz: 2407, memoryShare: 0.9, cacheGigabytesPerSecond: 7000, mmaPerClock: 256, source: guessed},
	},
];

/** The GPU of a board's name as the driver tells it ("NVIDIA H200"), where the data sheet is known. */
export function gpuOfBoard(board: string): Gpu | undefined {
	// The name's end counts: "NVIDIA H100 (simulated)" has no data sheet.
	return gpus.find(({boards}) => boards.test(board));
}

/** A GPU by the name that the tables have for it. */
export function gpuNamed(name: string): Gpu | undefined {
	return gpus.find((gpu) => gpu.name.toLowerCase() === name.toLowerCase());
}

/** Products and sums a second that the data sheet promises; in fp32, where it has no others. */
export function flopsOf({dataSheet: {teraflops}}: Gpu, precision: Precision): number {
	return 1e12 * (teraflops[precision] ?? teraflops.fp32);
}

/** What a multiprocessor of a compute capability holds: CUDA C++ Programming Guide, technical specifications. */
export interface Limits {
	readonly threads: number;
	readonly blocks: number;
	readonly sharedBytes: number;
	/** Of shared memory, taken by the system for each block. */
	readonly reservedBytes: number;
	/** fp32 products that its FP32 units take in a clock. */
	readonly fp32PerClock: number;
}

/**
 * What the model takes from experience with other kernels, not from measurements of these; to be replaced when a GPU says
 * otherwise.
 */
export const assumptions = {
	/** Share of their rate at which FP32 units, tensor cores and shared memory run at best. */
	fp32Share: 0.93,
	tensorShare: 0.82,
	sharedShare: 0.82,
	sharedBytesPerClock: 128,
	/** Share of the issue slots that is used with so many warps a scheduler; the last one with more. */
	issueShare: [0, 0.4, 0.65, 0.78, 0.9],
	/** From a block's start to its first product, and from the last one to its end. */
	prologueClocks: 1400,
	/** Between two kernels of a stream. */
	gapMicroseconds: 1.5,
} as const;

export const registersOfProcessor = 65536;
/** Registers are handed out to warps in pieces of so many. */
export const registerUnit = 256;

const kilobyte = 1024;
export const limits: Readonly<Record<string, Limits>> = {
	'7.5': {threads: 1024, blocks: 16, sharedBytes: 64 * kilobyte, reservedBytes: 0, fp32PerClock: 64},
	'8.0': {threads: 2048, blocks: 32, sharedBytes: 164 * kilobyte, reservedBytes: kilobyte, fp32PerClock: 64},
	'8.6': {threads: 1536, blocks: 16, sharedBytes: 100 * kilobyte, reservedBytes: kilobyte, fp32PerClock: 128},
	'8.9': {threads: 1536, blocks: 24, sharedBytes: 100 * kilobyte, reservedBytes: kilobyte, fp32PerClock: 128},
	'9.0': {threads: 2048, blocks: 32, sharedBytes: 228 * kilobyte, reservedBytes: kilobyte, fp32PerClock: 128},
	'12.0': {threads: 1536, blocks: 24, sharedBytes: 100 * kilobyte, reservedBytes: kilobyte, fp32PerClock: 128},
};
