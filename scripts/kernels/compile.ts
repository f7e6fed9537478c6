// Compiles the kernels for every architecture of a release, and tells what compiler and disassembler say of each. PTX is
// made for the two architectures that a kernel's source can tell apart, machine code from it for all. Results are kept in
// .cache/kernels/ by the content of what they are made of.
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {basename, dirname, join, normalize} from 'node:path';
import type {KernelFacts} from '../../benchmarks/kernel-facts.ts';
import {filesBelow, root} from '../../test/helpers/sources.ts';
import {countInstructions} from './machine-code.ts';
import {output, readableNames, type Tool} from './toolkit.ts';

/** Compute capabilities in the tables, and the PTX that each is compiled from. */
export const targets = [
	{computeCapability: '7.5', from: '75'},
	{computeCapability: '8.0', from: '80'},
	{computeCapability: '8.6', from: '80'},
	{computeCapability: '8.9', from: '80'},
	{computeCapability: '9.0', from: '80'},
	{computeCapability: '12.0', from: '80'},
] as const;

export type Target = (typeof targets)[number];

const cache = join(root, '.cache/kernels');
/** What makes facts of the compiler's and the disassembler's words. */
const readers = ['compile', 'machine-code', 'toolkit'].map((name) => `scripts/kernels/${name}.ts`);
const smOf = ({computeCapability}: Target): string => computeCapability.replace('.', '');

/** Of all kernels; `tell` hears of each file that has to be compiled. */
export async function compileKernels(
	nvcc: Tool,
	nvdisasm: Tool | undefined,
	tell: (file: string) => void,
): Promise<KernelFacts[]> {
	const facts: KernelFacts[] = [];
	const parser = digestOf([...readers, 'cuda/gemm/mma/tiling.h'], nvdisasm);
	for (const file of filesBelow('cuda', /\.cu$/).toSorted()) {
		const folder = join(cache, `${basename(file)}.${digestOf(withIncludes(file), nvcc)}`);
		if (!existsSync(folder)) {
			tell(file);
			await compileInto(folder, file, nvcc);
		}
		const kept = join(folder, `facts.${parser}.json`);
		if (!existsSync(kept)) {
			const found = await Promise.all(targets.map((target) => factsOf(target, file, folder, nvdisasm)));
			writeFileSync(kept, JSON.stringify(found.flat()));
		}
		facts.push(...(JSON.parse(readFileSync(kept, 'utf8')) as KernelFacts[]));
	}
	return facts;
}

/** Changes with the files and the tool. */
function digestOf(files: readonly string[], tool: Tool | undefined): string {
	const hash = createHash('sha256').update(`${tool?.version ?? 'none'}\n`);
	for (const file of files) hash.update(readFileSync(join(root, file)));
	return hash.digest('hex').slice(0, 16);
}

/** The file and what it includes of this project. */
function withIncludes(file: string, known = new Set<string>()): string[] {
	if (known.has(file)) return [];
	known.add(file);
	const text = readFileSync(join(root, file), 'utf8');
	const included = [...text.matchAll(/^#include "([^"]+)"/gm)].map(([, name = '']) => {
		return normalize(join(dirname(file), name));
	});
	return [file, ...included.flatMap((name) => withIncludes(name, known))];
}

const ptxIn = (folder: string, from: string): string => join(folder, `${from}.ptx`);
const cubinIn = (folder: string, target: Target): string => join(folder, `sm_${smOf(target)}.cubin`);
/** What ptxas says of it. */
const reportIn = (folder: string, target: Target): string => join(folder, `sm_${smOf(target)}.txt`);

/** The folder is there when it is whole. */
async function compileInto(folder: string, file: string, nvcc: Tool): Promise<void> {
	const scratch = `${folder}.new`;
	rmSync(scratch, {recursive: true, force: true});
	mkdirSync(scratch, {recursive: true});
	const makePtx = async (from: string): Promise<unknown> => {
		const flags = ['-std=c++17', '-O3', '-ptx', `-arch=compute_${from}`, file, '-o', ptxIn(scratch, from)];
		return output(nvcc, flags, root);
	};
	const makeCode = async (target: Target): Promise<void> => {
		const flags = ['-cubin', `-arch=sm_${smOf(target)}`, '-Xptxas=-v', ptxIn(scratch, target.from)];
		writeFileSync(reportIn(scratch, target), await output(nvcc, [...flags, '-o', cubinIn(scratch, target)], root));
	};
	await Promise.all([...new Set(targets.map((target) => target.from))].map(makePtx));
	await Promise.all(targets.map(makeCode));
	renameSync(scratch, folder);
}

async function factsOf(
	target: Target,
	file: string,
	folder: string,
	nvdisasm: Tool | undefined,
): Promise<KernelFacts[]> {
	const used = usesOf(readFileSync(reportIn(folder, target), 'utf8'));
	const planned = plansOf(readFileSync(ptxIn(folder, target.from), 'utf8'));
	// An older disassembler does not know newer architectures.
	const text = nvdisasm ? await output(nvdisasm, ['-c', cubinIn(folder, target)], root).catch(() => '') : '';
	const counts = countInstructions(text);
	const names = readableNames([...used.keys()]);
	return [...used].map(([name, {registers, spills}]) => {
		const plannedBlocks = planned.get(name);
		return {
			kernel: names.get(name) ?? name,
			file: file.replace(/^cuda\//, ''),
			computeCapability: target.computeCapability,
			registers,
			spills,
			...(plannedBlocks !== undefined && {plannedBlocks}),
			...counts.get(name),
		};
	});
}

/** What ptxas printed, by mangled name. */
function usesOf(said: string): Map<string, {registers: number; spills: number}> {
	const pattern =
		/Compiling entry function '(\w+)'.*\n.*\n\s+(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads\n.*Used (\d+) registers/g;
	const found = new Map<string, {registers: number; spills: number}>();
	for (const [, name = '', stack, stores, loads, registers] of said.matchAll(pattern)) {
		found.set(name, {registers: Number(registers), spills: Number(stack) + Number(stores) + Number(loads)});
	}
	const compiled = said.match(/Compiling entry function/g)?.length ?? 0;
	if (found.size === compiled) return found;
	throw new Error(`${compiled} kernels were compiled, of ${found.size} it is known what they use:\n${said}`);
}

/** Blocks on a multiprocessor that launch bounds ask for, by mangled name. */
function plansOf(ptx: string): Map<string, number> {
	const entries = ptx.matchAll(/^(?:\.visible )?\.entry (\w+)\([^)]*\)([^{]*)\{/gm);
	const plans = [...entries].flatMap(([, name = '', bounds = '']): [string, number][] => {
		const blocks = /\.minnctapersm (\d+)/.exec(bounds)?.[1];
		return blocks === undefined ? [] : [[name, Number(blocks)]];
	});
	return new Map(plans);
}
