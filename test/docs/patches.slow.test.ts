// The changes that the guides walk through still fit the sources, and the guides name every file of them.
import {spawnSync} from 'node:child_process';
import {cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {root} from '../helpers/sources.ts';

const guides = [
	{guide: 'docs/add-an-operation.md', patch: 'docs/square.patch'},
	{guide: 'docs/add-a-layer.md', patch: 'docs/global-max-pool-layer.patch'},
];

/** @returns what git says against the patch; empty where it fits */
function refusal(folder: string, patch: string, ...options: string[]): string {
	const {status, stderr, error} = spawnSync('git', ['apply', ...options, '-'], {
		...{cwd: folder, input: patch, encoding: 'utf8'},
	});
	if (error) throw error;
	return status === 0 ? '' : stderr;
}

for (const {guide, patch} of guides) {
	const text = readFileSync(join(root, patch), 'utf8');

	test(`${patch} fits the sources`, (t) => {
		t.is(
			refusal(root, text, '--check'),
			'',
			`Follow ${guide} again, and put its diff (git add -N, git diff -U2) into ${patch}.`,
		);
	});

	test(`${patch} would be refused if a line it stands on had changed`, (t) => {
		const changed = text.replace(/^ (.+)$/m, ' $1 // and more');
		t.not(changed, text);
		t.regex(refusal(root, changed, '--check'), /patch does not apply/);
	});

	test(`${guide} names each file of its patch`, (t) => {
		const files = [...text.matchAll(/^\+\+\+ b\/(.*)$/gm)].map(([, file]) => file ?? '');
		const guideText = readFileSync(join(root, guide), 'utf8');
		t.true(files.length > 3);
		t.deepEqual(
			files.filter((file) => !guideText.includes(file)),
			[],
		);
	});
}

test("a copy of the sources with the layer's patch compiles and passes the layer's test", (t) => {
	const copy = mkdtempSync(join(tmpdir(), 'alexnet-patched-'));
	t.teardown(() => {
		rmSync(copy, {recursive: true});
	});
	const folders = ['lib', 'cli', 'benchmarks', 'test/helpers', 'test/types', 'package.json', 'tsconfig.json'];
	for (const part of folders) cpSync(join(root, part), join(copy, part), {recursive: true});
	for (const part of ['node_modules', 'build']) symlinkSync(realpathSync(join(root, part)), join(copy, part));
	t.is(refusal(copy, readFileSync(join(root, 'docs/global-max-pool-layer.patch'), 'utf8')), '');
	const run = (...args: string[]): string => {
		const {status, stdout} = spawnSync(process.execPath, args, {cwd: copy, encoding: 'utf8', timeout: 120_000});
		t.is(status, 0, stdout);
		return stdout;
	};
	run(join(copy, 'node_modules/typescript/bin/tsc'), '--noEmit');
	t.regex(
		run(join(copy, 'node_modules/ava/entrypoints/cli.mjs'), 'test/net/global-max-pool.test.ts'),
		/\d tests passed/,
	);
});
