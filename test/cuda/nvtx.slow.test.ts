// Operations as ranges of NVTX, which a tool sees that listens.
import {spawnSync} from 'node:child_process';
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import anyTest from 'ava';
import {runNvcc, scratchFolder, test} from './nvcc.ts';
import {root} from '../helpers/sources.ts';

const folder = scratchFolder();
anyTest.after.always(() => rmSync(folder, {recursive: true}));

const program = `
import {openDevice} from './lib/device/device.ts';
import {native} from './lib/device/native.ts';
const device = openDevice('cuda:0');
const [a, b] = [device.allocate([64], 'float32'), device.allocate([64], 'float32')];
native.fill({output: a, value: 1});
native.copy({input: a, output: b});
native.add({input: a, addend: b, output: b});
await device.synchronize();
device.close();
`;

test('each operation is a range of its name, one after the other', (t) => {
	const library = join(folder, 'listener.so');
	runNvcc('-shared', '-Xcompiler=-fPIC', '-cudart=none', 'test/cuda/nvtx_listener.c', '-o', library);
	const {stderr, status} = spawnSync(process.execPath, ['--import=tsx', '--input-type=module', '-e', program], {
		cwd: root,
		env: {...process.env, ALEXNET_SIMULATED_GPUS: '1', NVTX_INJECTION64_PATH: library},
		encoding: 'utf8',
	});
	t.is(status, 0, stderr);
	const ranges = stderr.split('\n').flatMap((line) => /^nvtx: (.*)$/.exec(line)?.[1] ?? []);
	const expected = ['fill', 'copy', 'add', 'synchronize'].flatMap((name) => [`${name} {`, '}']);
	t.deepEqual(ranges, expected);
});
