// The kernels as a release compiles them: each architecture from the source, as cuda/cuda.cmake has it.
import {rmSync} from 'node:fs';
import {basename, join} from 'node:path';
import anyTest from 'ava';
import {nvccOutput, scratchFolder, test} from '../cuda/nvcc.ts';
import {architectures, assertResources, files} from '../cuda/resources.ts';

const folder = scratchFolder();
anyTest.after.always(() => rmSync(folder, {recursive: true}));

for (const file of files) {
	test(`${file} compiles for a release without spills, stack or warnings`, async (t) => {
		const targets = architectures.map((name) => `-gencode=arch=compute_${name},code=sm_${name}`);
		const flags = ['-std=c++17', '-O3', '--threads=0', '-fatbin', '-Xptxas=-v'];
		assertResources(t, await nvccOutput(...flags, ...targets, `cuda/${file}`, '-o', join(folder, basename(file))));
	});
}
