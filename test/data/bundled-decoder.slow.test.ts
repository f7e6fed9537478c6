// docs/bundles.md: what a bundle needs so that its pictures are decoded in a process of their own.
import {execFile} from 'node:child_process';
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {bundle} from '../helpers/bundle.ts';
import {writePictures} from '../helpers/command.ts';
import {root} from '../helpers/sources.ts';

/** Within the package, so that it finds the addon. */
async function folderFor(t: ExecutionContext): Promise<string> {
	const folder = await mkdtemp(join(root, 'build/bundle-'));
	t.teardown(() => rm(folder, {recursive: true}));
	await writePictures(join(folder, 'pictures'), {dark: [40, 40, 40], light: [200, 200, 200]}, 2);
	const program = fileURLToPath(new URL('../helpers/bundled-decoding.ts', import.meta.url));
	await bundle(program, join(folder, 'app.mjs'));
	return folder;
}

function run(folder: string): Promise<{stdout: string; stderr: string}> {
	return promisify(execFile)(process.execPath, [join(folder, 'app.mjs'), join(folder, 'pictures')]);
}

test('with the decoder beside it a bundle decodes in a process of its own', async (t) => {
	const folder = await folderFor(t);
	await bundle(join(root, 'lib/data/decoder-child.ts'), join(folder, 'decoder-child.mjs'));
	const {stdout, stderr} = await run(folder);
	t.deepEqual(JSON.parse(stdout), {pictures: 4, children: 1});
	t.is(stderr, '');
});

test('without, it decodes by itself, and says once what to do', async (t) => {
	const {stdout, stderr} = await run(await folderFor(t));
	t.deepEqual(JSON.parse(stdout), {pictures: 4, children: 0});
	t.is(stderr.match(/AlexNetWarning/g)?.length, 1, stderr);
	t.regex(stderr, /there is no decoder-child\.mjs beside this program: bundle it as well, as docs\/bundles\.md says/);
});

test('the guide leaves out of the bundle what the test does', async (t) => {
	const guide = await readFile(join(root, 'docs/bundles.md'), 'utf8');
	const externals = guide.match(/--external:sharp --external:node-gyp-build/g);
	t.is(externals?.length, 2);
	t.true(guide.includes('lib/data/decoder-child.ts'));
});
