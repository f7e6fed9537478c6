// The package as users get it: packed with a prebuilt addon, installed in an empty folder without install scripts, and run
// where PATH has nothing but Node.js.
import {execFile, execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {npm, packInto, prebuilt} from '../../scripts/package/packed.ts';
import {writePictures} from '../helpers/command.ts';
import {root} from '../helpers/sources.ts';

// With a space, as many a user's folder.
const folder = mkdtempSync(join(tmpdir(), 'alexnet package-'));
const [app, bin] = [join(folder, 'app'), join(folder, 'bin')];
const installed = join(app, 'node_modules/alexnet-cuda', prebuilt);
let tarball = '';

function sizeOf(path: string): number {
	if (!statSync(path).isDirectory()) return statSync(path).size;
	return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

/** Runs one of the app's programs: what it prints. */
async function node(...parameters: string[]): Promise<string> {
	const {stdout} = await promisify(execFile)(join(bin, 'node'), parameters, {cwd: app, env: {PATH: bin}});
	return stdout;
}

/** What npm does, but for finding dependencies. */
function unpack(): void {
	const modules = join(app, 'node_modules');
	mkdirSync(join(modules, 'alexnet-cuda'), {recursive: true});
	execFileSync('tar', ['-xzf', tarball, '-C', join(modules, 'alexnet-cuda'), '--strip-components=1']);
	const {dependencies} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {dependencies: object};
	for (const name of Object.keys(dependencies)) symlinkSync(join(root, 'node_modules', name), join(modules, name));
}

test.serial.before('the package is packed, and installed without scripts', async (t) => {
	tarball = packInto(folder);
	mkdirSync(app);
	writeFileSync(join(app, 'package.json'), JSON.stringify({name: 'app', private: true}));
	try {
		npm(app, 'install', '--prefer-offline', '--fetch-retries=0', tarball);
	} catch (error) {
		// Without a registry the package is what it is, and its dependencies are the checkout's.
		if (!/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH/.test(String(error))) throw error;
		t.log('no registry could be reached: unpacked instead of installed');
		unpack();
	}
	mkdirSync(bin);
	symlinkSync(process.execPath, join(bin, 'node'));
	await writePictures(join(app, 'pictures'), {red: [200, 40, 40], blue: [40, 40, 200]}, 4);
});
test.after.always(() => rmSync(folder, {recursive: true, force: true}));

test.serial('it trains, classifies, and its doctor finds nothing wrong', async (t) => {
	const program = `
		import {AlexNet, ImageFolder} from 'alexnet-cuda';
		const data = await ImageFolder.open('pictures', {validationFraction: 0});
		const model = await AlexNet.create({labels: data.labels, devices: 'cpu', batchSize: 4});
		for await (const report of model.train(data.train, {epochs: 1})) console.log(report.type);
		console.log((await model.classify('pictures/red/0.png')).map(({label}) => label).sort().join());`;
	t.is(await node('--input-type=module', '--eval', program), 'step\nstep\nepoch\nblue,red\n');
	const cli = join(app, 'node_modules/alexnet-cuda/dist/cli/main.js');
	t.regex(await node(cli, 'doctor'), /^addon +prebuilds\/.*, prebuilt$[^]*^A net can be trained here\.$/m);
});

test.serial("CommonJS requires it, and what is loaded is the package's own", async (t) => {
	const program = `
		require('alexnet-cuda').listDevices();
		console.log(require('node:fs').readFileSync('/proc/self/maps', 'utf8'));`;
	const maps = await node('--eval', program);
	const own = readdirSync(installed).filter((name) => !name.endsWith('.txt'));
	t.deepEqual(own.sort(), ['alexnet.glibc.node', 'libOpenCL.so.1', 'libdnnl.so.2', 'libgomp.so.1']);
	const loaded = [...maps.matchAll(/ (\/.*\/(?:alexnet|libOpenCL|libdnnl|libgomp)\S*)$/gm)].map(
		([, path = '']) => path,
	);
	t.deepEqual([...new Set(loaded)].sort(), own.map((name) => join(installed, name)).sort());
});

test.serial('it asks for glibc 2.35 at most', (t) => {
	const symbols = execFileSync('objdump', ['-T', join(installed, 'alexnet.glibc.node')], {encoding: 'utf8'});
	const minors = [...symbols.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
	t.true(minors.length > 0 && Math.max(...minors) <= 35, `glibc 2.${Math.max(...minors)}`);
});

test.serial('it is as small as it says, names whose work it holds, and has no files of ours', (t) => {
	const [packed, own] = [statSync(tarball).size, sizeOf(join(app, 'node_modules/alexnet-cuda'))];
	t.log(`packed ${(packed / 1e6).toFixed(1)} MB, installed ${(own / 1e6).toFixed(1)} MB`);
	t.true(packed < 25e6 && own < 70e6);
	const notices = readFileSync(join(installed, 'THIRD-PARTY.txt'), 'utf8');
	for (const name of ['libdnnl', 'libgomp', 'ocl-icd', 'NVIDIA', 'Apache License', 'GNU GENERAL PUBLIC LICENSE']) {
		t.true(notices.includes(name), name);
	}
	const files = execFileSync('tar', ['-tzf', tarball], {encoding: 'utf8'});
	t.notRegex(files, /\/(test|node_modules|simulator|build)\//);
});

test.serial('without a prebuilt addon it says what to do', async (t) => {
	rmSync(installed, {recursive: true});
	const program =
		"import('alexnet-cuda').then(({listDevices}) => listDevices()).catch((e) => console.log(e.code, e.message))";
	const told = await node('--eval', program);
	t.regex(told, /^ALEXNET_ADDON .*No native build was found/);
	for (const command of ['npm rebuild alexnet-cuda', 'npm install-scripts approve', 'pnpm approve-builds']) {
		t.true(told.includes(command), command);
	}
});
