// Runs when the package is installed: nothing to do where a prebuilt addon loads, else builds it from source.
const {spawnSync} = require('node:child_process');
const {join} = require('node:path');

const root = join(__dirname, '..');

/** In a process of its own: a broken addon may take the process with it. */
function loads() {
	const script = "require('node-gyp-build')(process.argv[1])";
	return spawnSync(process.execPath, ['-e', script, root], {cwd: root, stdio: 'ignore'}).status === 0;
}

function build() {
	const command = join(require.resolve('cmake-js/package.json'), '..', 'bin', 'cmake-js');
	return spawnSync(process.execPath, [command, 'build', '--out', 'build'], {cwd: root, stdio: 'inherit'}).status === 0;
}

if (!loads() && !(build() && loads())) {
	console.error(
		'\nalexnet-cuda: there is no prebuilt addon for this system, and building it failed (see above).\n' +
			'It needs a C++17 compiler, make, CMake 3.20 or newer, oneDNN with its headers, and the OpenCL headers.\n' +
			'On Debian or Ubuntu:  apt-get install build-essential cmake libdnnl-dev ocl-icd-opencl-dev\n' +
			'For CUDA devices also nvcc, of CUDA 11.8 or newer. Then run:  npm rebuild alexnet-cuda',
	);
	process.exit(1);
}
