// Formats the tracked C++ and CUDA files. --check changes nothing: it names the files that are not formatted and fails.
const {execFileSync} = require('node:child_process');
const {readFileSync, writeFileSync} = require('node:fs');
const {join} = require('node:path');
const {getNativeBinary} = require('clang-format');

const root = join(__dirname, '..');
const check = process.argv.includes('--check');
const clangFormat = getNativeBinary();
const files = execFileSync('git', ['ls-files', '*.h', '*.cc', '*.c', '*.cu', '*.cuh'], {cwd: root, encoding: 'utf8'})
	.split('\n')
	.filter(Boolean);

const different = files.filter((file) => {
	const path = join(root, file);
	const formatted = execFileSync(clangFormat, ['--style=file', path], {encoding: 'utf8'});
	if (formatted === readFileSync(path, 'utf8')) return false;
	if (!check) writeFileSync(path, formatted);
	return true;
});

if (check && different.length > 0) {
	console.error(`Not formatted (run 'npm run format'):\n${different.map((file) => `  ${file}`).join('\n')}`);
	process.exitCode = 1;
} else {
	console.log(`${files.length} C++ and CUDA files, ${different.length} formatted anew`);
}
