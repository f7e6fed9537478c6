// What scripts/gpu-check runs: each a process with a time limit of its own.
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import type {Precision} from '../../lib/net/options.ts';
import {root} from '../../test/helpers/sources.ts';

/** What `alexnet doctor` says of the device, as far as it decides what can run there. */
export interface CheckedDevice {
	readonly id: string;
	readonly kind: 'cpu' | 'cuda';
	readonly isSimulated: boolean;
	/** Of a GPU: "9.0" */
	readonly computeCapability?: string;
}

export interface Part {
	readonly name: string;
	/** The program and its arguments. */
	readonly command: readonly [string, ...string[]];
	/** Most seconds it may take. */
	readonly seconds: number;
	/** Measures time or memory: nothing runs beside it. */
	readonly isAlone?: boolean;
	/** Of one that prints JSON: the most important of it, for the table. */
	readonly tell?: (json: unknown) => string;
	readonly environment?: Readonly<Record<string, string>>;
}

/** Why a part cannot run here, in words. */
export type LeftOut = Readonly<Record<string, string>>;

// Compiled where packed; a checkout's compiled files may be older than its sources.
const compiled = join(root, 'dist/cli/main.js');
const cli = existsSync(join(root, 'pack')) ? [compiled] : ['--import=tsx', join(root, 'cli/main.ts')];
const alexnet = (...parameters: string[]): Part['command'] => [process.execPath, ...cli, ...parameters];

/** Tells what devices there are: all else depends on it. */
export const devicesPart: Part = {
	name: 'devices',
	command: alexnet('doctor', '--json'),
	seconds: 30,
	tell: (json) =>
		(json as {devices: {id: string; name: string}[]}).devices.map(({id, name}) => `${id} ${name}`).join(', '),
};

/** The tests of the device in these files. */
function ava({id, kind}: CheckedDevice, ...parameters: string[]): Required<Pick<Part, 'command' | 'environment'>> {
	const program = join(root, 'node_modules/ava/entrypoints/cli.mjs');
	return {
		command: [process.execPath, program, '--config=ava.devices.config.js', ...parameters],
		environment: {ALEXNET_TEST_DEVICES: id, ...(kind === 'cuda' && {ALEXNET_REQUIRE: 'cuda'})},
	};
}

/**
 * Parts in the order in which they begin: the long ones first; those that run alone come last of all.
 *
 * @param python one that has PyTorch
 */
export function partsFor(device: CheckedDevice, python = 'python3'): Part[] {
	const {id, kind, isSimulated} = device;
	const isGpu = kind === 'cuda' && !isSimulated;
	const full = isGpu ? ['--full'] : [];
	/** Every operation in one precision, else the whole net: all of it would take longer than it may. */
	const trials = (precision: Precision): string[] => (!isGpu ? ['training'] : precision === 'bf16' ? ['all'] : []);
	const fixtures = ava(device, 'test/full/fixtures.test.ts');
	const sanitizer = (tool: (typeof sanitizers)[number]): Part => ({
		name: tool,
		command: [
			'compute-sanitizer',
			...['--tool', tool, '--target-processes', 'all', '--error-exitcode', '1', '--print-limit', '20'],
			...alexnet('selftest', '--device', id, '--seed', '1'),
		],
		seconds: 300,
	});
	return [
		{
			name: 'selftest',
			command: alexnet('selftest', ...full, '--seed', '1', ...(kind === 'cpu' ? ['--device', id] : [])),
			seconds: 330,
		},
		sanitizer('racecheck'),
		{name: 'operations', ...ava(device, '--concurrency=4', 'test/ops'), seconds: 240},
		{
			name: 'pytorch',
			command: fixtures.command,
			seconds: 180,
			environment: {...fixtures.environment, ALEXNET_REQUIRE: 'cuda,torch'},
		},
		{
			name: 'placement',
			...ava(device, 'test/full/placement.test.ts', 'test/full/graphs.test.ts'),
			seconds: 240,
		},
		{
			name: 'large',
			...ava(device, 'test/full/large.test.ts'),
			seconds: 180,
		},
		...(['memcheck', 'initcheck', 'synccheck'] as const).map(sanitizer),
		{
			// Looks at how much of the GPU's memory is free, and at how long the event loop stands still.
			name: 'models',
			...ava(device, '--concurrency=1', 'test/net', 'test/training', 'test/lifecycle'),
			seconds: 240,
			isAlone: true,
		},
		{
			name: 'bench-pytorch',
			command: [python, join(root, 'scripts/gpu/pytorch_speed.py')],
			seconds: 60,
			isAlone: true,
			tell: (json) => tellSteps((json as {rows: StepRow[]}).rows),
		},
		...benchmarked.map((precision) => ({
			name: `bench-${precision}`,
			command: alexnet(
				...['bench', ...trials(precision), '--device', id, '--precision', precision],
				...['--repetitions', isGpu ? '10' : '3', '--json'],
			),
			seconds: 120,
			isAlone: true,
			tell: (json: unknown) => tellSteps((json as StepRow[]).filter(({trial}) => trial === 'training')),
		})),
	];
}

interface StepRow {
	/** Left out where a peer measured it. */
	readonly trial?: string;
	readonly precision: string;
	readonly medianMs: number;
	readonly imagesPerSecond: number;
}

function tellSteps(rows: readonly StepRow[]): string {
	const words = rows.map(({precision, medianMs, imagesPerSecond}) => {
		return `${precision} ${medianMs.toFixed(2)} ms, ${imagesPerSecond.toFixed(0)} images/s`;
	});
	return `a training step: ${words.join('; ')}`;
}

const benchmarked = ['bf16', 'tf32', 'fp32'] as const;

/** NVIDIA's compute-sanitizer has a tool for each kind of mistake. */
const sanitizers = ['memcheck', 'racecheck', 'synccheck', 'initcheck'] as const;

/** @param has whether a program can be run, and PyTorch imported */
export function leftOut(device: CheckedDevice, has: {sanitizer: boolean; torch: boolean}): LeftOut {
	const reasons: Record<string, string> = {};
	const isGpu = device.kind === 'cuda' && !device.isSimulated;
	for (const tool of sanitizers) {
		if (!isGpu) reasons[tool] = 'watches real GPUs only';
		else if (!has.sanitizer) reasons[tool] = 'there is no compute-sanitizer on PATH';
	}
	if (device.isSimulated) {
		for (const precision of benchmarked) reasons[`bench-${precision}`] = 'a simulated GPU has no speed';
		for (const name of ['pytorch', 'placement']) reasons[name] = 'the whole net takes too long on a simulated GPU';
	} else if (!has.torch) reasons.pytorch = 'no python3 here has PyTorch';
	if (!isGpu || Number(device.computeCapability) < 8)
		reasons['bench-tf32'] ??= 'TF32 is for GPUs of compute capability 8.0 and newer';
	if (!isGpu) reasons.large = 'needs 20 GB of memory, and minutes on a CPU';
	if (!isGpu || !has.torch) reasons['bench-pytorch'] = 'needs a real GPU, and PyTorch';
	return reasons;
}
