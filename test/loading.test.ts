// The package where its addon, or the package itself, is not to be found.
import {spawnSync} from 'node:child_process';
import {cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import test from 'ava';
import {packageVersion} from '../lib/base/package.ts';
import {bundle} from './helpers/bundle.ts';
import {root} from './helpers/sources.ts';

const {resolve} = createRequire(import.meta.url);

/** A checkout without a build. */
const checkout = mkdtempSync(join(tmpdir(), 'alexnet-checkout-'));
for (const part of ['lib', 'benchmarks', 'cli', 'package.json']) {
	cpSync(join(root, part), join(checkout, part), {recursive: true});
}
symlinkSync(realpathSync(join(root, 'node_modules')), join(checkout, 'node_modules'));
/** A folder with a program of its own. */
const elsewhere = mkdtempSync(join(tmpdir(), 'alexnet-bundle-'));
test.after.always(() => {
	for (const folder of [checkout, elsewhere]) rmSync(folder, {recursive: true});
});

function node(folder: string, ...args: string[]) {
	// No other build is asked for.
	const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ALEXNET_')));
	return spawnSync(process.execPath, args, {cwd: folder, env, encoding: 'utf8', timeout: 60_000});
}

for (const [option, expected] of [
	['--help', /^Usage: alexnet/],
	['--version', new RegExp(`^${packageVersion}\n$`)],
] as const) {
	test(`without an addon, alexnet ${option} answers`, (t) => {
		const {status, stdout, stderr} = node(checkout, '--import=tsx', 'cli/main.ts', option);
		t.is(stderr, '');
		t.regex(stdout, expected);
		t.is(status, 0);
	});
}

test('without an addon, the package can be imported, and what needs the addon says why there is none', (t) => {
	writeFileSync(
		join(checkout, 'program.ts'),
		`import {AlexNetError, listDevices} from './lib/index.ts';
		import {operations} from './lib/ops.ts';
		for (const use of [() => listDevices(), () => operations.fill, () => Object.keys(operations)]) {
			try {
				use();
				console.log('no error');
			} catch (error) {
				console.log(error instanceof AlexNetError, error.code, error.message);
			}
		}`,
	);
	const {status, stdout, stderr} = node(checkout, '--import=tsx', 'program.ts');
	t.is(stderr, '');
	t.is(status, 0);
	t.is(stdout.match(/^true ALEXNET_ADDON .*No native build was found/gm)?.length, 3, stdout);
});

test('a bundle that the package cannot find its files from is told to leave it outside', async (t) => {
	const entry = join(elsewhere, 'entry.mjs');
	writeFileSync(entry, `import {listDevices} from ${JSON.stringify(join(root, 'lib/index.ts'))}; listDevices();`);
	await bundle(entry, join(elsewhere, 'app.mjs'));
	cpSync(dirname(resolve('node-gyp-build/package.json')), join(elsewhere, 'node_modules/node-gyp-build'), {
		recursive: true,
	});
	symlinkSync(realpathSync(join(root, 'node_modules/sharp')), join(elsewhere, 'node_modules/sharp'));
	const {status, stderr} = node(elsewhere, 'app.mjs');
	t.is(status, 1);
	t.regex(stderr, /ALEXNET_ADDON/);
	t.regex(stderr, /external/);
});
