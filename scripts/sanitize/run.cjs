// Runs the tests with the addon's C++ instrumented: `npm run test:asan` (memory errors, leaks, undefined behaviour) and
// `npm run test:tsan` (data races) without the CUDA part, `npm run test:asan-simulated` the operations on simulated GPUs.
// Arguments go to ava in place of what is run otherwise: names of test files, --match.
//
// Builds the addon, proves on an addon of mistakes that what is wrong would be reported, and runs the tests; without
// simulated GPUs all those that ava.sanitized.config.js lists. Every report, of any process that a test began, fails the
// run.
const {execFileSync, spawnSync} = require('node:child_process');
const {existsSync, mkdtempSync, readFileSync, readdirSync, rmSync} = require('node:fs');
const {tmpdir} = require('node:os');
const {join} = require('node:path');

const root = join(__dirname, '..', '..');

const addressSanitizer = {
	name: 'address',
	library: 'libasan.so',
	options: (log) => ({
		// Short stacks of allocations: node leaks hundreds of blocks, and looking their frames up would take a process half
		// a minute to end.
		ASAN_OPTIONS: `abort_on_error=1:log_path=${log}:malloc_context_size=5:stack_trace_format="    #%n %f %S %M"`,
		// Leaks are looked for when a process ends. They leave its exit code alone, since the other programs that tests run
		// leak as well: isLeakOfOurs() tells them apart. Thread-local variables are not searched: GCC 12's sanitizer
		// crashes there in a process that ends while its threads work. The one of ours that owns memory, the team of
		// cpu/openmp.cc, has not been reported for it.
		LSAN_OPTIONS: 'exitcode=0:use_tls=0',
		UBSAN_OPTIONS: `print_stacktrace=1:halt_on_error=1:abort_on_error=1:log_path=${log}`,
	}),
	mistakes: ['outOfBounds', 'useAfterFree', 'undefined', 'leak'],
	innocent: ['sections', 'handOver'],
};

const threadSanitizer = {
	name: 'thread',
	library: 'libtsan.so',
	options: (log) => ({
		// Of node, oneDNN and libvips, which are not instrumented, only the locks are seen: what they read and write
		// would look like races.
		TSAN_OPTIONS: `ignore_noninstrumented_modules=1:log_path=${log}`,
	}),
	mistakes: ['race', 'raceInSection'],
	innocent: ['sections', 'handOver'],
};

const withoutCuda = {
	build: '--CDALEXNET_CUDA=OFF',
	settings: {ALEXNET_SIMULATED_GPUS: undefined},
	flags: ['--config', 'ava.sanitized.config.js'],
	tests: [],
};
const onSimulatedGpus = {
	build: '--CDALEXNET_SIMULATOR=ON',
	settings: {
		ALEXNET_SIMULATED_GPUS: '2',
		ALEXNET_SIMULATED_PROCESSORS: '4',
		ALEXNET_REQUIRE: 'cuda',
		ALEXNET_TEST_DEVICES: 'cuda:0',
	},
	flags: ['--config', 'ava.devices.config.js', '--concurrency=1'],
	tests: ['test/ops'],
};

const sanitizers = {
	asan: {...addressSanitizer, ...withoutCuda, folder: 'Asan', variable: 'ALEXNET_ASAN'},
	tsan: {...threadSanitizer, ...withoutCuda, folder: 'Tsan', variable: 'ALEXNET_TSAN'},
	'asan-simulated': {
		...addressSanitizer,
		...onSimulatedGpus,
		folder: 'AsanSimulated',
		variable: 'ALEXNET_ASAN_SIMULATED',
	},
};

function fail(message) {
	console.error(`sanitize: ${message}`);
	process.exit(1);
}

function compile({name, folder, build}) {
	const command = join(require.resolve('cmake-js/package.json'), '..', 'bin', 'cmake-js');
	const options = [`--CDALEXNET_SANITIZE=${name}`, build];
	const args = [command, 'build', '--out', join('build', folder), ...options];
	if (spawnSync(process.execPath, args, {cwd: root, stdio: 'inherit'}).status !== 0) fail('the build failed.');
}

/** The sanitizer's library of the compiler that built the addon. node is not linked with it, so it is preloaded. */
function runtimeOf({folder, library}) {
	const cache = readFileSync(join(root, 'build', folder, 'CMakeCache.txt'), 'utf8');
	const compiler = /^CMAKE_CXX_COMPILER:\w+=(.*)$/m.exec(cache)[1];
	const file = execFileSync(compiler, [`-print-file-name=${library}`], {encoding: 'utf8'}).trim();
	if (!existsSync(file)) fail(`${compiler} has no ${library}. These runs need GCC with it, as Debian's g++ is.`);
	return file;
}

/** Runs node with the sanitizer in it and in all that it starts. Tells its exit code and the reports. */
function run(sanitizer, runtime, args, stdio) {
	const logs = mkdtempSync(join(tmpdir(), 'alexnet-sanitize-'));
	const env = {
		...process.env,
		...sanitizer.options(join(logs, 'report')),
		[sanitizer.variable]: '1',
		...sanitizer.settings,
		LD_PRELOAD: runtime,
	};
	const [command, ...rest] = [...inFixedMemory(sanitizer), process.execPath, ...args];
	const {status} = spawnSync(command, rest, {cwd: root, env, stdio});
	const reports = readdirSync(logs).map((name) => withoutLeaksOfOthers(readFileSync(join(logs, name), 'utf8')));
	rmSync(logs, {recursive: true});
	return {status, reports: reports.filter(Boolean)};
}

/** GCC's thread sanitizer does not start where the system spreads memory wider than it used to (Ubuntu 24.04: 32 bits). */
function inFixedMemory({name}) {
	const setting = '/proc/sys/vm/mmap_rnd_bits';
	const wide = existsSync(setting) && Number(readFileSync(setting, 'utf8')) > 28;
	return name === 'thread' && wide ? ['setarch', '--addr-no-randomize'] : [];
}

/** A report; of leaks only ours, and nothing where there are none. */
function withoutLeaksOfOthers(report) {
	if (!report.includes('ERROR: LeakSanitizer: detected')) return report;
	return report.split('\n\n').filter(isLeakOfOurs).join('\n\n');
}

/**
 * Whether our code asked for the memory: of the C++ library, or of Node-API. What V8 or oneDNN take while they are called
 * is theirs, node drops what it has when process.exit() is called, and so do other programs. Two of Node-API's are node's,
 * too: externals go with the collector alone, and a promise cannot be settled any more when its environment is going.
 */
function isLeakOfOurs(leak) {
	const frames = [...leak.matchAll(/^ +#\d+ (.*) \((\S+?)\+0x[\da-f]+\)$/gm)];
	const asking = frames.find(([, name, module]) => !libraries.test(module) && !nodeApi.test(name));
	return asking !== undefined && /^(alexnet|mistakes)\.node$/.test(asking[2]);
}

const nodeApi = /^(napi_(?!create_(external|promise)\b)|v8impl::)/;
const libraries = /^(libasan|libstdc\+\+|libc|libgcc_s)\.so/;

/** Every mistake must be reported, and what is none must run without a report. */
function prove(sanitizer, runtime) {
	const {folder, mistakes, innocent} = sanitizer;
	const addon = join(root, 'build', folder, 'Release', 'mistakes.node');
	const call = 'require(process.argv[1])[process.argv[2]]()';
	for (const name of [...mistakes, ...innocent]) {
		const {status, reports} = run(sanitizer, runtime, ['-e', call, addon, name], 'ignore');
		const right = mistakes.includes(name) ? reports.length > 0 : reports.length === 0 && status === 0;
		const outcome = `${name} of mistakes.cc: ${reports.length} reports, exit code ${status}`;
		if (!right) fail(`${outcome}. Nothing that these builds say can be trusted here.\n${reports.join('\n')}`);
		console.log(`sanitize: ${outcome}, as it should be`);
	}
}

const [kind, ...asked] = process.argv.slice(2);
const sanitizer = sanitizers[kind] ?? fail('run.cjs asan|tsan|asan-simulated [arguments of ava]');
compile(sanitizer);
const runtime = runtimeOf(sanitizer);
prove(sanitizer, runtime);
const tests = asked.length > 0 ? asked : sanitizer.tests;
const ava = join(root, 'node_modules', '.bin', 'ava');
const {status, reports} = run(sanitizer, runtime, [ava, ...sanitizer.flags, ...tests], 'inherit');
for (const report of reports) console.error(report);
console.log(`sanitize: ${reports.length} reports of the ${sanitizer.name} sanitizer; ava's exit code is ${status}`);
process.exitCode = status === 0 && reports.length === 0 ? 0 : 1;
