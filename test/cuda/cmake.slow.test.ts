// cuda/cuda.cmake never fails for want of CUDA, and says what it decided.
import {chmodSync, mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import anyTest from 'ava';
import {root} from '../helpers/sources.ts';
import {linesOf, scratchFolder, test} from './nvcc.ts';

const folder = scratchFolder();
const project = join(folder, 'project');
const broken = join(folder, 'broken-nvcc');
const tools = join(folder, 'tools');
anyTest.after.always(() => rmSync(folder, {recursive: true}));

anyTest.before(() => {
	mkdirSync(project);
	writeFileSync(
		join(project, 'CMakeLists.txt'),
		`cmake_minimum_required(VERSION 3.20)
project(probe LANGUAGES CXX)
include("${join(root, 'cuda/cuda.cmake')}")
message(STATUS "architectures: \${CMAKE_CUDA_ARCHITECTURES}")
`,
	);
	writeFileSync(broken, '#!/bin/sh\nexit 1\n');
	chmodSync(broken, 0o755);
	gpusHere('echo "No devices were found"; exit 6');
});

/** What stands in for NVIDIA's tool, so that results do not depend on this machine. */
function gpusHere(script: string): void {
	mkdirSync(tools, {recursive: true});
	writeFileSync(join(tools, 'nvidia-smi'), `#!/bin/sh\n${script}\n`);
	chmodSync(join(tools, 'nvidia-smi'), 0o755);
}

/** Configures the project in a build folder and returns what it said of CUDA. */
function configure(build: string, options: string[] = [], variables: NodeJS.ProcessEnv = {}): string {
	const unset = {CUDACXX: undefined, CUDAFLAGS: undefined, ALEXNET_CUDA_ARCHITECTURES: undefined};
	const ours = {...unset, PATH: `${tools}:${process.env.PATH ?? ''}`, ...variables};
	const lines = linesOf('cmake', ['-S', project, '-B', join(folder, build), ...options], {...process.env, ...ours});
	return lines.filter((line) => /CUDA:|architectures:/.test(line)).join('\n');
}

anyTest.serial('ALEXNET_CUDA=OFF builds for the CPU only', (t) => {
	t.is(
		configure('off', ['-DALEXNET_CUDA=OFF']),
		'-- CUDA: off (ALEXNET_CUDA=OFF). Building for the CPU only.\n-- architectures: ',
	);
});

anyTest.serial('a broken nvcc builds for the CPU only', (t) => {
	const said = configure('mended', [], {CUDACXX: broken});
	t.regex(said, /^-- CUDA: \S+\/broken-nvcc does not compile .* Building for the CPU only\.\n-- architectures: $/);
});

test('an nvcc that was mended is found by the next configuration of the same folder', (t) => {
	t.regex(configure('mended'), /^-- CUDA: \S+nvcc [\d.]+ for 80\n-- architectures: 80$/);
});

test('ALEXNET_CUDA_ARCHITECTURES chooses what is compiled for', (t) => {
	const release = configure('release', [], {ALEXNET_CUDA_ARCHITECTURES: 'release'});
	t.regex(
		release,
		/architectures: (75-real;80;86-real;89-real;90-real;100-real;120|75-real;80-real;86-real;89-real;90)$/,
	);
	t.regex(configure('release', ['-DALEXNET_CUDA_ARCHITECTURES=75;90']), /architectures: 75;90$/);
});

test("this machine's GPUs are compiled for, each kind once, without those that nvcc does not know", (t) => {
	gpusHere('printf "9.0\\n7.5\\n9.0\\n99.0\\n3.5\\n"');
	t.regex(configure('here'), /architectures: 90;75$/);
});
