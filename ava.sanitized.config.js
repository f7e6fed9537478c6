// What `npm run test:asan` and `npm run test:tsan` run: all tests but these. The rest is as package.json says.
import {readFileSync} from 'node:fs';
import {URL} from 'node:url';

const {ava} = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

/** Files that are left out, and why. */
const files = {
	'test/cuda/**': 'The builds have no CUDA part. The tests look at the release build, and run nvcc.',
	'test/simulator/**': 'Programs of their own, which nvcc makes of cuda/ and simulator/.',
	'test/data/**': 'Pictures are read and decoded without the addon.',
	'test/demo/**': 'The same.',
	'test/benchmarks/**': 'Measures speed.',
	'test/package/**': 'Packs the release build.',
	'test/cpu/limits.slow.test.ts':
		'Runs shells, which end with a segmentation fault when the thread sanitizer is preloaded.',
	'test/lifecycle/event-loop.timed.test.ts': 'Measures gaps of a timer.',
	'test/interchange/torch.slow.test.ts': 'Runs Python, whose PyTorch is ended for mistakes of its own.',
	'test/report/browser.slow.test.ts': 'Runs Chromium, which hangs when a sanitizer is preloaded.',
};

/** Titles of tests that are left out, and why. */
const titles = {
	'*SIGHUP interrupts*': 'Runs shells, as test/cpu/limits.slow.test.ts does.',
	'*a full disk, end all ranks [Open MPI]': "Open MPI's mpirun reads there what it has freed.",
	'* simulated GPU*': 'On a build of its own, without instruments. npm run test:asan-simulated has one with.',
	'*,000 *': 'Measure resident memory: the sanitizers keep memory of their own, and for a while what was freed.',
};

export default {
	...ava,
	files: [...ava.files, ...Object.keys(files).map((name) => `!${name}`)],
	match: Object.keys(titles).map((title) => `!${title}`),
	concurrency: 1,
	timeout: '20m',
};
