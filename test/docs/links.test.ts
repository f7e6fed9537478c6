// What the documents point at is there: files, headings, and paths of the sources that they name.
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {dirname, join, normalize} from 'node:path';
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
	'docs',
	'examples',
	'lib',
	'scripts',
	'simulator',
	'test',
];

const documents = [...readdirSync(root), ...folders.flatMap((folder) => filesBelow(folder))].filter((name) =>
	name.endsWith('.md'),
);

/** Files that the guides' patches make, and a reader therefore. */
const toBeMade = filesBelow('docs')
	.filter((name) => name.endsWith('.patch'))
	.flatMap((name) => [...readFileSync(join(root, name), 'utf8').matchAll(/^--- \/dev\/null\n\+\+\+ b\/(.*)$/gm)])
	.map(([, file]) => file);

/** As GitHub makes an anchor of a heading. */
function anchorsOf(text: string): string[] {
	return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
		heading
			.toLowerCase()
			.replaceAll(/[^\w\- ]/g, '')
			.replaceAll(' ', '-'),
	);
}

interface Target {
	readonly from: string;
	readonly path: string;
	readonly anchor: string | undefined;
}

function linksOf(from: string, text: string): Target[] {
	return [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].map(([, path = '', anchor]) => {
		return {from, path: path === '' ? from : normalize(join(dirname(from), path)), anchor};
	});
}

function isBroken({path, anchor}: Target): boolean {
	if (!existsSync(join(root, path))) return true;
	return anchor !== undefined && !anchorsOf(readFileSync(join(root, path), 'utf8')).includes(anchor);
}

/** Paths from the root, whether in code or in a sentence. */
function pathsIn(text: string): string[] {
	const path = new RegExp(`(?<![\\w./-])(?:${folders.join('|')})/(?:[\\w-]+/)*(?:[\\w.-]*\\.[a-z]+)?(?![\\w/*…])`, 'g');
	return [...text.matchAll(path)].map(([found]) => found);
}

const texts = new Map(documents.map((name) => [name, readFileSync(join(root, name), 'utf8')]));

test('links lead to files and headings', (t) => {
	const links = [...texts].flatMap(([name, text]) => linksOf(name, text));
	t.true(links.length > 50);
	t.deepEqual(links.filter(isBroken), []);
});

test('paths that documents name are there', (t) => {
	const named = [...texts].flatMap(([from, text]) => pathsIn(text).map((path) => ({from, path})));
	t.true(named.length > 100);
	t.deepEqual(
		named.filter(({path}) => !existsSync(join(root, path)) && !toBeMade.includes(path)),
		[],
	);
});

test('a link or a path that leads nowhere would be found', (t) => {
	const wrong = linksOf('docs/kernels.md', '[a](../cuda/none.cu) [b](paper.md#none) [c](#no-such-heading)');
	t.is(wrong.filter(isBroken).length, 3);
	const right = linksOf('docs/kernels.md', '[a](../cuda/README.md#building) [b](https://example.org/none)');
	t.deepEqual(right.map(isBroken), [false]);
	t.deepEqual(pathsIn('See `lib/none.ts`, cuda/gemm/, and https://example.org/lib/other.ts.'), [
		'lib/none.ts',
		'cuda/gemm/',
	]);
});
