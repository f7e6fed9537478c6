// Installs the package with several package managers, and uses it from bundles and test runners: `npx tsx
// scripts/package/try.ts`, or with the names of some. All come from the registry, each into a folder of its own.
import {execFile} from 'node:child_process';
import {cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {packInto} from './packed.ts';

/** Makes a net of random weights, classifies grey pixels, and tells the number of probabilities. */
const use = `
	const model = await AlexNet.create({classes: 3, devices: 'cpu'});
	const picture = {data: new Uint8Array(64 * 64 * 3).fill(90), width: 64, height: 64, channels: 3};
	const found = await model.classify(picture, {top: 3});
	await model.dispose();`;
const esm = `import {AlexNet} from 'alexnet-cuda';\n${use}\nconsole.log('classes:', found.length);\n`;
const cjs = `const {AlexNet} = require('alexnet-cuda');\n(async () => {${use}\nconsole.log('classes:', found.length);\n})();\n`;
const inTest = (kind: string): string =>
	`${kind}\ntest('classifies', async () => {${use}\nexpect(found.length).toBe(3);\n}, 60_000);\n`;

interface Trial {
	readonly name: string;
	/** Programs run in the folder, one after the other. */
	readonly commands: (tarball: string) => readonly string[];
	readonly files?: Readonly<Record<string, string>>;
}

const trials: readonly Trial[] = [
	{name: 'npm', commands: (tarball) => [`npm install --ignore-scripts ${tarball}`, 'node app.mjs', 'node app.cjs']},
	{name: 'pnpm', commands: (tarball) => [`npx --yes pnpm@10 add ${tarball}`, 'node app.mjs', 'node app.cjs']},
	{
		name: 'yarn 1',
		commands: (tarball) => [`npx --yes yarn@1.22 add --ignore-scripts file:${tarball}`, 'node app.mjs', 'node app.cjs'],
	},
	{
		name: 'yarn 4, node_modules',
		files: {'.yarnrc.yml': 'nodeLinker: node-modules\nenableScripts: false\nenableTelemetry: false\n', 'yarn.lock': ''},
		commands: (tarball) => [
			`npx --yes @yarnpkg/cli-dist@4 add alexnet-cuda@file:${tarball}`,
			'node app.mjs',
			'node app.cjs',
		],
	},
	{
		name: "yarn 4, Plug'n'Play",
		files: {'.yarnrc.yml': 'nodeLinker: pnp\nenableScripts: false\nenableTelemetry: false\n', 'yarn.lock': ''},
		commands: (tarball) => [
			`npx --yes @yarnpkg/cli-dist@4 add alexnet-cuda@file:${tarball}`,
			'npx --yes @yarnpkg/cli-dist@4 node app.mjs', // Node.js 20 does not look there for what is required
		],
	},
	{
		name: 'esbuild',
		commands: (tarball) => [
			`npm install --ignore-scripts ${tarball} esbuild`,
			'npx esbuild app.mjs --bundle --platform=node --format=esm --external:alexnet-cuda --outfile=out/app.mjs',
			'node out/app.mjs',
		],
	},
	{
		name: 'webpack',
		files: {
			'webpack.config.cjs':
				"module.exports = {entry: './app.cjs', target: 'node', mode: 'production', output: {path: __dirname + '/out'}, " +
				"externals: {'alexnet-cuda': 'commonjs alexnet-cuda'}};\n",
		},
		commands: (tarball) => [
			`npm install --ignore-scripts ${tarball} webpack webpack-cli`,
			'npx webpack --config webpack.config.cjs',
			'node out/main.js',
		],
	},
	{
		name: 'rollup',
		commands: (tarball) => [
			`npm install --ignore-scripts ${tarball} rollup`,
			'npx rollup app.mjs --external alexnet-cuda --file out/app.mjs',
			'node out/app.mjs',
		],
	},
	{
		name: 'jest',
		files: {
			// Jest cannot require ES modules.
			'common.test.cjs': inTest('').replace(
				'const model',
				"const {AlexNet} = await import('alexnet-cuda');\n\tconst model",
			),
			'import.test.mjs': inTest("import {AlexNet} from 'alexnet-cuda';"),
			'jest.config.json': '{"testMatch": ["**/*.test.cjs", "**/*.test.mjs"], "transform": {}}',
		},
		commands: (tarball) => [
			`npm install --ignore-scripts ${tarball} jest`,
			'node --experimental-vm-modules node_modules/jest/bin/jest.js --config jest.config.json',
		],
	},
	{
		name: 'vitest',
		files: {'import.test.mjs': inTest("import {expect, test} from 'vitest';\nimport {AlexNet} from 'alexnet-cuda';")},
		commands: (tarball) => [`npm install --ignore-scripts ${tarball} vitest`, 'npx vitest run'],
	},
];

const folder = mkdtempSync(join(tmpdir(), 'alexnet-try-'));
try {
	const tarball = packInto(folder);
	const asked = process.argv.slice(2);
	for (const trial of trials.filter(({name}) => asked.length === 0 || asked.includes(name))) {
		const outcome = await outcomeOf(trial, tarball);
		console.log(`${trial.name.padEnd(22)} ${outcome}`);
		if (outcome !== 'works') process.exitCode = 1;
	}
} finally {
	rmSync(folder, {recursive: true, force: true});
}

async function outcomeOf({name, files, commands}: Trial, tarball: string): Promise<string> {
	const app = join(folder, name.replaceAll(/\W+/g, '-'));
	mkdirSync(app);
	const all = {'package.json': '{"name": "app", "private": true}', 'app.mjs': esm, 'app.cjs': cjs, ...files};
	for (const [file, text] of Object.entries(all)) writeFileSync(join(app, file), text);
	const own = join(app, 'alexnet-cuda.tgz');
	cpSync(tarball, own);
	for (const command of commands('./alexnet-cuda.tgz')) {
		try {
			await promisify(execFile)('bash', ['-c', command], {cwd: app, timeout: 300_000});
		} catch (error) {
			const {stdout = '', stderr = ''} = error as {stdout?: string; stderr?: string};
			return `fails at: ${command}\n${`${stdout}\n${stderr}`.trim().split('\n').slice(-12).join('\n')}`;
		}
	}
	return 'works';
}
