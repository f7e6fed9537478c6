// docs/environment.md lists the environment variables that the sources read, all of them and no others.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {filesBelow, root} from '../helpers/sources.ts';

const folders = [
	'benchmarks',
	'binding',
	'cli',
	'core',
	'cpu',
	'cuda',
	'demo',
	'lib',
	'scripts',
	'simulator',
	'test/helpers',
];

/** By extension: how the name of a variable that is read looks there. */
const readings: Readonly<Record<string, readonly RegExp[]>> = {
	ts: [/process\.env\.(\w+)/g, /\{variable: '(\w+)'/g, /\benvironment\.([A-Z_]+)\b/g],
	cjs: [/process\.env\.(\w+)/g],
	h: [/getenv\("(\w+)"\)/g],
	cc: [/getenv\("(\w+)"\)/g, /\bsetting\("(\w+)"/g, /"(OMP_\w+)"/g],
	cmake: [/\$ENV\{(\w+)\}/g, /\bENV (\w+)/g, /^# +([A-Z_, ]+?) +environment:/gm],
};

/** By extension: readings that hide the name; each file has its own way to tell it above. */
const hidden: Readonly<Record<string, RegExp>> = {
	ts: /(?<!\.\.\.)process\.env(?![.\w])/,
	cjs: /(?<!\.\.\.)process\.env(?![.\w])/,
	h: /getenv\((?!")/,
	cc: /getenv\((?!")/,
};

const files = folders
	.flatMap((folder) => filesBelow(folder))
	.flatMap((file) => {
		const extension = /\.(\w+)$/.exec(file)?.[1] ?? '';
		return extension in readings ? [{file, extension, text: readFileSync(join(root, file), 'utf8')}] : [];
	});

test('the list is that of the sources', (t) => {
	const read = files.flatMap(({extension, text}) =>
		readings[extension]!.flatMap((pattern) =>
			[...text.matchAll(pattern)].flatMap(([, names = '']) => names.split(', ')),
		),
	);
	const rows = readFileSync(join(root, 'docs/environment.md'), 'utf8').matchAll(/^\| ((`\w+`(, )?)+) +\|/gm);
	const listed = [...rows].flatMap(([, names = '']) => [...names.matchAll(/\w+/g)].map(([name]) => name));
	t.deepEqual(listed.toSorted(), [...new Set(read)].toSorted());
	t.true(listed.length > 20);
});

test('no other file reads a variable whose name it does not write out', (t) => {
	const found = files.filter(({extension, text}) => hidden[extension]?.test(text)).map(({file}) => file);
	t.deepEqual(found.toSorted(), ['cli/hangup.ts', 'lib/device/native.ts', 'simulator/runtime/machine.cc']);
});
