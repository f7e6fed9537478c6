// Runs the tests with core/, cpu/ and binding/ instrumented: `npm run test:asan` (memory errors, leaks, undefined
// behaviour) and `npm run test:tsan` (data races). Further arguments go to ava: names of test files, --match.
//
// Builds the addon without its CUDA part, proves on an addon of mistakes that what is wrong would be reported, and runs
// the tests that ava.sanitized.config.js lists. Every report, of any process that a test began, fails the run.
const {execFileSync, spawnSync} = require('node:child_process');
const {existsSync, mkdtempSync, readFileSync, readdirSync, rmSync} = require('node:fs');
const {tmpdir} = require('node:os');
const {join} = require('node:path');

const root = join(__dirname, '..', '..');

const sanitizers = {
	asan: {
		name: 'address',
		folder: 'Asan',
		variable: 'ALEXNET_ASAN',
		options: (log) => ({
			// Short stacks of allocations: node leaks hundreds of blocks, and looking their frames up would take a process half
			// a minute to end.
			ASAN_OPTIONS: `abort_on_error=1:log_path=${log}:malloc_context_size=8:stack_trace_format="    #%n %f %S %M"`,
			// Leaks are looked for when a process ends. They leave its exit code alone, since the other programs that tests run
			// leak as well: isLeakOfOurs() tells them apart. Thread-local variables are not searched: GCC 12's sanitizer
			// crashes there in a process that ends while its threads work. We have none that own memory.
			LSAN_OPTIONS: 'exitcode=0:use_tls=0',
			UBSAN_OPTIONS: `print_stacktrace=1:halt_on_error=1:abort_on_error=1:log_path=${log}`,
		}),
		mistakes: ['outOfBounds', 'useAfterFree', 'undefined', 'leak'],
		innocent: ['sections', 'handOver'],
	},
	tsan: {
		name: 'thread',
		folder: 'Tsan',
		variable: 'ALEXNET_TSAN',
		options: (log) => ({
			// Of node, oneDNN and libvips, which are not instrumented, only the locks are seen: what they read and write
			// would look like races.
			TSAN_OPTIONS: `ignore_noninstrumented_modules=1:log_path=${log}`,
		}),
		mistakes: ['race', 'raceInSection'],
		innocent: ['sections', 'handOver'],
	},
};

function fail(message) {
	console.error(`sanitize: ${message}`);
	process.exit(1);
}

function build({name, folder}) {
	const command = join(require.resolve('cmake-js/package.json'), '..', 'bin', 'cmake-js');
	const options = [`--CDALEXNET_SANITIZE=${name}`, '--CDALEXNET_CUDA=OFF'];
	const args = [command, 'build', '--out', join('build', folder), ...options];
	if (spawnSync(process.execPath, args, {cwd: root, stdio: 'inherit'}).status !== 0) fail('the build failed.');
}

/** The sanitizer's library of the compiler that built the addon. node is not linked with it, so it is preloaded. */
function runtimeOf(sanitizer, kind) {
	const cache = readFileSync(join(root, 'build', sanitizer.folder, 'CMakeCache.txt'), 'utf8');
	const compiler = /^CMAKE_CXX_COMPILER:\w+=(.*)$/m.exec(cache)[1];
	const library = execFileSync(compiler, [`-print-file-name=lib${kind}.so`], {encoding: 'utf8'}).trim();
	if (!existsSync(library)) fail(`${compiler} has no lib${kind}.so. It comes with Debian's g++; other compilers fail.`);
	return library;
}

/** Runs a command with the sanitizer in it and in all that it starts. Tells its exit code and the reports. */
function run(sanitizer, runtime, command, args, stdio) {
	const logs = mkdtempSync(join(tmpdir(), 'alexnet-sanitize-'));
	const environment = {
		...process.env,
		...sanitizer.options(join(logs, 'report')),
		[sanitizer.variable]: '1',
		LD_PRELOAD: runtime,
	};
	const {status} = spawnSync(command, args, {cwd: root, env: environment, stdio});
	const reports = readdirSync(logs).map((name) => readFileSync(join(logs, name), 'utf8'));
	rmSync(logs, {recursive: true});
	return {status, reports: reports.filter(countsAsReport)};
}

/** All reports count, but of leaks only ours. */
function countsAsReport(report) {
	return !report.includes('ERROR: LeakSanitizer: detected') || report.split('\n\n').some(isLeakOfOurs);
}

/**
 * Whether our code asked for the memory: of the C++ library, or of Node-API. What V8 or oneDNN take while they are called
 * is theirs, node drops what it has when process.exit() is called, and so do other programs.
 */
function isLeakOfOurs(leak) {
	const frames = [...leak.matchAll(/^ +#\d+ (.*) \((\S+?)\+0x[\da-f]+\)$/gm)];
	const beyond = frames.find(([, name, module]) => !libraries.test(module) && !/^(napi_|v8impl::)/.test(name));
	return beyond !== undefined && /^(alexnet|mistakes)\.node$/.test(beyond[2]);
}

const libraries = /^(libasan|libstdc\+\+|libc|libgcc_s)\.so/;

function prove(sanitizer, runtime) {
	const addon = join(root, 'build', sanitizer.folder, 'Release', 'mistakes.node');
	for (const name of [...sanitizer.mistakes, ...sanitizer.innocent]) {
		const script = 'require(process.argv[1])[process.argv[2]]()';
		const {reports} = run(sanitizer, runtime, process.execPath, ['-e', script, addon, name], 'ignore');
		const expected = sanitizer.mistakes.includes(name);
		if (reports.length > 0 !== expected) {
			fail(`mistakes.cc: ${name} is ${expected ? 'not ' : ''}reported.\n${reports.join('\n')}`);
		}
		console.log(`sanitize: ${name} is ${expected ? '' : 'not '}reported, as it should be`);
	}
}

const [kind, ...rest] = process.argv.slice(2);
const sanitizer = sanitizers[kind] ?? fail('run.cjs asan|tsan [arguments of ava]');
build(sanitizer);
const runtime = runtimeOf(sanitizer, kind);
prove(sanitizer, runtime);
const ava = join(root, 'node_modules', '.bin', 'ava');
const {status, reports} = run(
	sanitizer,
	runtime,
	process.execPath,
	[ava, '--config', 'ava.sanitized.config.js', ...rest],
	'inherit',
);
for (const report of reports) console.error(report);
console.log(`sanitize: ${reports.length} reports of the ${sanitizer.name} sanitizer; ava's exit code is ${status}`);
process.exitCode = status === 0 && reports.length === 0 ? 0 : 1;
