// Runs the tests that name cuda:0 on simulated GPUs (simulator/README.md). The operations' run under three profiles, which
// differ in whatever must not change a result: order of blocks and streams, number of processors, and whether GPUs reach
// each other's memory. Arguments go to ava under each: `npm run test:simulated -- test/ops/lrn.test.ts`. With --full it is
// ava.full.config.js's tests instead, under the first profile alone.
const {spawn, spawnSync} = require('node:child_process');
const {existsSync} = require('node:fs');
const {availableParallelism} = require('node:os');
const {join} = require('node:path');

const root = join(__dirname, '..');
const addon = join(root, 'build', 'Simulated', 'Release', 'alexnet.node');

/** By compute capability. Few processors make a launch work through its tiles as large shapes do on a real GPU. */
const all = [
	{capability: 80, settings: {PROCESSORS: '4'}, files: ['test/ops', 'test/model', 'test/lifecycle']},
	{capability: 75, settings: {PROCESSORS: '4', SCHEDULE: `random:${Date.now() % 1000}`}, files: ['test/ops']},
	{capability: 86, settings: {SCHEDULE: 'reverse', PEERS: '0'}, files: ['test/ops']},
];

const full = process.argv.includes('--full');
const asked = process.argv.slice(2).filter((argument) => argument !== '--full');
const profiles = full ? all.slice(0, 1) : all;
const config = full ? ['--config', 'ava.full.config.js'] : [];

function environment({capability, settings}) {
	const variables = Object.entries({PROFILE: String(capability), ...settings});
	const simulated = Object.fromEntries(variables.map(([name, value]) => [`ALEXNET_SIMULATED_${name}`, value]));
	return {...process.env, ALEXNET_SIMULATED_GPUS: '2', ALEXNET_REQUIRE: 'cuda', ...simulated};
}

/** The second GPU serves the exchange: what runs on one GPU runs on the first. */
function run(profile) {
	const files = full || asked.length > 0 ? asked : profile.files;
	const command = [join(root, 'node_modules/ava/entrypoints/cli.mjs'), '--match=*cuda:0*', ...config, ...files];
	const settings = Object.entries(profile.settings).map((pair) => pair.join('='));
	return new Promise((resolve) => {
		const child = spawn(process.execPath, command, {cwd: root, env: environment(profile)});
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

async function main() {
	const waiting = [...profiles];
	let failed = false;
	const work = async () => {
		for (let profile = waiting.shift(); profile; profile = waiting.shift()) {
			if ((await run(profile)) !== 0) failed = true;
		}
	};
	await Promise.all(Array.from({length: availableParallelism()}, work));
	if (failed) process.exitCode = 1;
}

if (existsSync(addon)) void main();
else if (spawnSync('nvcc', ['--version']).error && process.env.ALEXNET_REQUIRE !== 'cuda') {
	console.log('No simulated GPUs: npm run build:simulated needs nvcc, which is not here. The kernels were not run.');
} else {
	console.error('There is no build for simulated GPUs. Run: npm run build:simulated');
	process.exitCode = 1;
}
