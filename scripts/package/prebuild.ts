// What prebuildify runs in the place of node-gyp (scripts/package/node-gyp), in build/prebuild/: builds the addon for every
// GPU, and leaves it in build/prebuild/build/Release/ with its libraries, from where prebuildify takes them.
import {spawnSync} from 'node:child_process';
import {mkdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {root} from '../../test/helpers/sources.ts';
import {placeAddon, writeNotices} from './addon.ts';

const build = join(root, 'build/prebuild/cmake');
const {status} = spawnSync('npx', ['cmake-js', 'build', '--out', build], {
	cwd: root,
	env: {ALEXNET_CUDA_ARCHITECTURES: 'release', ...process.env},
	stdio: 'inherit',
});
if (status !== 0) process.exit(1);

const addon = join(build, 'Release/alexnet.node');
const left = join(root, 'build/prebuild/build/Release');
rmSync(left, {recursive: true, force: true});
mkdirSync(left, {recursive: true});
placeAddon(addon, left);
writeNotices(addon, join(root, 'prebuilds', `${process.platform}-${process.arch}`));
