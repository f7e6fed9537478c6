// `npm run kernels`: writes cuda/kernels.json and the report card in cuda/README.md, and fails where a gate is missed.
// `npm run kernels -- --check` writes nothing, and also fails where the file is not what the kernels are now; `--tables`
// writes the tables anew from the file as it is.
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {format, resolveConfig} from 'prettier';
import {gpus} from '../../benchmarks/gpus.ts';
import {factsFile, readFacts, type Facts} from '../../benchmarks/kernel-facts.ts';
import {root} from '../../test/helpers/sources.ts';
import {cardOf} from './card.ts';
import {compileKernels, targets} from './compile.ts';
import {excused, missedGates} from './gates.ts';
import {launchesOn} from './launches.ts';
import {summaryOf} from './summary.ts';
import {compiler, disassembler} from './toolkit.ts';

const readme = join(root, 'cuda/README.md');
const [begin, end] = ['<!-- kernels: written by npm run kernels -->', '<!-- kernels: end -->'];

async function collect(): Promise<Facts> {
	const [nvcc, nvdisasm] = [compiler(), disassembler()];
	if (!nvdisasm)
		console.error('There is no nvdisasm on PATH or in NVDISASM: without it there are no instruction counts.');
	const kernels = await compileKernels(nvcc, nvdisasm, (file) => console.error(`compiling ${file}`));
	const operations: Facts['operations'][number][] = [];
	for (const target of targets) {
		console.error(`listing launches on ${target.computeCapability}`);
		operations.push(...(await launchesOn(target)));
	}
	return {
		compiler: `nvcc ${nvcc.version}`,
		...(nvdisasm && {disassembler: `nvdisasm ${nvdisasm.version}`}),
		kernels,
		operations,
	};
}

/** A line for each row, so that differences can be read. */
function textOf(facts: Facts): string {
	const lines = (rows: readonly object[]): string => rows.map((row) => `\t\t${JSON.stringify(row)}`).join(',\n');
	const head = Object.entries(facts).filter(([, value]) => typeof value === 'string');
	return [
		'{',
		...head.map(([name, value]) => `\t"${name}": ${JSON.stringify(value)},`),
		`\t"kernels": [\n${lines(facts.kernels)}\n\t],`,
		`\t"operations": [\n${lines(facts.operations)}\n\t]`,
		'}\n',
	].join('\n');
}

async function withCard(text: string, card: string): Promise<string> {
	const [from, to] = [text.indexOf(begin), text.indexOf(end)];
	if (from < 0 || to < from) throw new Error(`${readme} has no place for the report card: ${begin} … ${end}`);
	const whole = `${text.slice(0, from + begin.length)}\n\n${card}\n\n${text.slice(to)}`;
	return format(whole, {...(await resolveConfig(readme)), parser: 'markdown'});
}

/** What can be compared: other compilers allot registers differently, and not everybody can count instructions. */
function isStale(now: Facts): boolean {
	const committed = readFacts();
	if (committed.compiler !== now.compiler) return false;
	const comparable = ({kernels, operations}: Facts): string => {
		const plain = kernels.map(({code, inner, outer, ...rest}) =>
			now.disassembler ? {code, inner, outer, ...rest} : rest,
		);
		return JSON.stringify({kernels: plain, operations});
	};
	return comparable(committed) !== comparable(now);
}

async function main(): Promise<number> {
	const [isCheck, isTables] = ['--check', '--tables'].map((option) => process.argv.includes(option));
	const facts = isTables ? readFacts() : await collect();
	const stale = isCheck === true && isStale(facts);
	if (!isCheck) {
		writeFileSync(factsFile(), textOf(facts));
		writeFileSync(readme, await withCard(readFileSync(readme, 'utf8'), [summaryOf(facts), cardOf(facts)].join('\n\n')));
	}
	console.log(summaryOf(facts));
	const missed = missedGates(facts, gpus);
	for (const {gate, kernel, computeCapability, found} of missed) {
		console.error(`MISSED ${gate}: ${kernel} on ${computeCapability}: ${found}`);
	}
	for (const {gate, kernel, reason} of excused) console.error(`excused from ${gate}: ${kernel.source}: ${reason}`);
	if (stale) console.error('STALE cuda/kernels.json: run npm run kernels, and commit what it writes.');
	console.error(missed.length === 0 ? 'All gates are met.' : `${missed.length} gates are missed.`);
	return missed.length > 0 || stale ? 1 : 0;
}

process.exitCode = await main();
