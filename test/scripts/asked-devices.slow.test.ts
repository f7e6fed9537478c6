// ALEXNET_TEST_DEVICES: a run on one device alone has its tests, all of them and no others.
import {spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {filesBelow, root} from '../helpers/sources.ts';

const tests = filesBelow('test').filter((name) => name.endsWith('.test.ts'));
const textOf = (name: string): string => readFileSync(join(root, name), 'utf8');

/** Titles of what ran, each with whether it passed. */
function titlesOf(devices: string, ...files: string[]): {titles: string[]; status: number | null} {
	const ava = join(root, 'node_modules/ava/entrypoints/cli.mjs');
	const {stdout, status} = spawnSync(process.execPath, [ava, '--config', 'ava.devices.config.js', '--tap', ...files], {
		cwd: root,
		encoding: 'utf8',
		env: {...process.env, ALEXNET_TEST_DEVICES: devices},
	});
	return {
		titles: [...stdout.matchAll(/^((?:not )?ok) \d+ - (.*)$/gm)].map(([, ok, title]) => `${ok}: ${title}`),
		status,
	};
}

test('of a file with other tests those of the device run, and of files without any nothing', (t) => {
	const files = ['test/lifecycle/device.test.ts', 'test/base'];
	const {titles, status} = titlesOf('cpu:0', ...files);
	t.is(status, 0, titles.join('\n'));
	const [first, ...rest] = titles.toSorted((a, b) => Number(a.endsWith(']')) - Number(b.endsWith(']')));
	t.regex(first!, /^ok: .*there is cpu:0, as ALEXNET_TEST_DEVICES says$/);
	const declared = textOf(files[0]!).match(/^forEachDevice\($|^forEachDevice\('/gm) ?? [];
	t.true(declared.length > 3);
	t.is(rest.length, declared.length, rest.join('\n'));
	t.true(rest.every((title) => /^ok: .* \[cpu:0\]$/.test(title)));
});

test('a device that is not here is a failure, and nothing else runs', (t) => {
	const {titles, status} = titlesOf('cuda:99', 'test/lifecycle/device.test.ts');
	t.is(status, 1);
	t.deepEqual(titles, ['not ok: there is cuda:99, as ALEXNET_TEST_DEVICES says']);
});

/** Titles that name a device, of tests that are none of one for a run on that device. */
const plain =
	/\btest(?:\.serial)?\(\s*(?:`[^`]*(?:\$\{(?:devices|ids|id|where)\b|\b(?:cpu|cuda):\d)|'[^']*\b(?:cpu|cuda):\d)/;

test('what names the device that it runs on is declared as a test of it', (t) => {
	const folders = /^test\/(ops|net|checkpoint|training|lifecycle|full|device)\//;
	const found = tests.filter((name) => folders.test(name) && plain.test(textOf(name)));
	t.deepEqual(found, []);
	t.regex("test.serial(`adds [${ids.join(', ')}]`, (t) => t.pass())", plain);
	t.regex("test(\n\t'adds on cuda:0', (t) => t.pass())", plain);
	t.notRegex("testOn(ids, `adds [${ids.join(', ')}]`, (t) => t.pass())", plain);
});

test('files with tests of devices are those that the run looks at', async (t) => {
	const {default: config} = (await import(join(root, 'ava.devices.config.js'))) as {default: {files: string[]}};
	const {files} = config;
	const declaring = tests.filter((name) =>
		/\b(testOn|forEachDevice|forEachPair|testCases|testRefusals)\(/.test(textOf(name)),
	);
	const others = tests.filter((name) => name.startsWith('test/scripts/'));
	t.deepEqual(
		declaring.filter((name) => !files.includes(name) && !others.includes(name)),
		[],
	);
	t.true(declaring.length > 25, `${declaring.length}`);
});
