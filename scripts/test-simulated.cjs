// Runs the tests of cuda:0 (test/helpers/devices.ts) on simulated GPUs (simulator/README.md). The operations' run under three
// profiles, which differ in whatever must not change a result: order of blocks and streams, number of processors, errors of
// approximate instructions and of tensor cores, and whether GPUs reach each other's memory. Together they must launch every
// kernel and reach every source line of each.
//
// Arguments go to ava under each profile: `npm run test:simulated -- test/ops/lrn.test.ts`. With --quick it is the tests of
// operations under the first profile, and of products under the second; with --full those of test/full, under the first.
const {spawn, spawnSync} = require('node:child_process');
const {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync} = require('node:fs');
const {tmpdir} = require('node:os');
const {join} = require('node:path');

const root = join(__dirname, '..');
const addon = join(root, 'build', 'Simulated', 'Release', 'alexnet.node');

/** By compute capability. Few processors make a launch work through its tiles as large shapes do on a real GPU. */
const all = [
	{
		capability: 80,
		settings: {PROCESSORS: '4'},
		files: ['test/ops', 'test/net', 'test/training', 'test/lifecycle'],
		quick: ['test/ops'],
	},
	{
		capability: 75,
		settings: {PROCESSORS: '4', SCHEDULE: `random:${Date.now() % 1000}`, APPROXIMATE: 'up'},
		files: ['test/ops'],
		quick: ['test/ops/conv2d.test.ts', 'test/ops/linear.test.ts'], // bf16 without tensor cores
	},
	{
		capability: 86,
		settings: {SCHEDULE: 'reverse', PEERS: '0', APPROXIMATE: 'down', MMA: 'chopped'},
		files: ['test/ops'],
	},
];

const tiers = ['--full', '--quick'];
const [full, quick] = tiers.map((tier) => process.argv.includes(tier));
const asked = process.argv.slice(2).filter((argument) => !tiers.includes(argument));
const [first] = all;
const ofQuick = all.filter((profile) => profile.quick).map((profile) => ({...profile, files: profile.quick}));
const profiles = full ? [{...first, files: ['test/full']}] : quick ? ofQuick : all;

function environment({capability, settings}, coverage) {
	const variables = Object.entries({PROFILE: String(capability), COVERAGE: coverage, ...settings});
	const simulated = Object.fromEntries(variables.map(([name, value]) => [`ALEXNET_SIMULATED_${name}`, value]));
	const run = {ALEXNET_SIMULATED_GPUS: '2', ALEXNET_REQUIRE: 'cuda', ALEXNET_TEST_DEVICES: 'cuda:0'};
	return {...process.env, ...run, ...simulated};
}

/** The second GPU serves the exchange: what runs on one GPU runs on the first. */
function run(profile, coverage) {
	const files = asked.length > 0 ? asked : profile.files;
	const command = [join(root, 'node_modules/ava/entrypoints/cli.mjs'), '--config', 'ava.devices.config.js', ...files];
	const settings = Object.entries(profile.settings).map((pair) => pair.join('='));
	return new Promise((resolve) => {
		const child = spawn(process.execPath, command, {cwd: root, env: environment(profile, coverage)});
		let output = '';
		for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
		child.on('close', (code) => {
			const lines = output.trimEnd().split('\n');
			console.log(`compute capability ${(profile.capability / 10).toFixed(1)} (${settings.join(', ')}), simulated:`);
			console.log(code === 0 ? lines.slice(-1).join('\n') : output);
			resolve(code);
		});
	});
}

/** Of what the processes left in the folder (simulator/runtime/coverage.h), what ran nowhere. Tells whether that is none. */
function isCovered(folder) {
	const ran = new Map();
	for (const file of readdirSync(folder)) {
		for (const line of readFileSync(join(folder, file), 'utf8').split('\n')) {
			const [, what, here] = /^(kernel .*|line cuda\/\S+:[1-9]\d*) ([01])$/.exec(line) ?? [];
			if (what) ran.set(what, ran.get(what) || here === '1');
		}
	}
	const count = (kind) => [...ran.keys()].filter((what) => what.startsWith(kind)).length;
	console.log(`coverage: of ${count('kernel')} kernels with ${count('line')} source lines`);
	const missing = [...ran.keys()].filter((what) => !ran.get(what));
	console.log(missing.length === 0 ? 'all have run' : missing.map((what) => `${what} never ran`).join('\n'));
	return ran.size > 0 && missing.length === 0;
}

async function main() {
	const coverage = mkdtempSync(join(tmpdir(), 'alexnet-coverage-'));
	let failed = false;
	for (const profile of profiles) {
		if ((await run(profile, coverage)) !== 0) failed = true;
	}
	if (!full && asked.length === 0 && !isCovered(coverage)) failed = true;
	rmSync(coverage, {recursive: true});
	if (failed) process.exitCode = 1;
}

/** Of the sources as they are: moments where nothing has changed. Tells whether it has come about. */
function build() {
	const {status, stdout, stderr} = spawnSync('npm', ['run', '--silent', 'build:simulated'], {
		cwd: root,
		encoding: 'utf8',
	});
	if (status !== 0) console.error(`The build for simulated GPUs has failed:\n${stdout}${stderr}`);
	return status === 0;
}

const hasCompiler = !spawnSync('nvcc', ['--version']).error;
if (hasCompiler ? build() : existsSync(addon)) void main();
else {
	if (!hasCompiler)
		console.log('No simulated GPUs: their build needs nvcc, which is not here. The kernels were not run.');
	if (hasCompiler || process.env.ALEXNET_REQUIRE?.split(',').includes('cuda')) process.exitCode = 1;
}
