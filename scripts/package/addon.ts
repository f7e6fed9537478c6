// The addon as it travels: stripped, with the libraries that it needs beside it, and their licences.
import {execFileSync} from 'node:child_process';
import {copyFileSync, mkdirSync, readFileSync, realpathSync, writeFileSync} from 'node:fs';
import {basename, join} from 'node:path';

/** Every system's own: glibc, and the C++ library that Node.js has loaded by then. */
const system = /^(linux-vdso|ld-linux|lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s)\.so)/;

/** Copies the addon and its libraries to a folder that is there. The addon looks for them beside itself first. */
export function placeAddon(addon: string, folder: string, name = 'alexnet.node'): void {
	strip(addon, join(folder, name));
	for (const library of librariesOf(addon)) copyFileSync(realpathSync(library), join(folder, basename(library)));
}

export function strip(from: string, to: string): void {
	execFileSync('strip', ['-o', to, from]);
}

/** Paths of the shared libraries that are not of every system. */
function librariesOf(addon: string): string[] {
	const found = execFileSync('ldd', [addon], {encoding: 'utf8'}).matchAll(/^\s*(\S+) => (\S+)/gm);
	return [...found].flatMap(([, name = '', path = '']) => (system.test(name) ? [] : [path]));
}

/** Writes whose work lies in the folder, and under which licences: as Debian tells of the packages of the libraries. */
export function writeNotices(addon: string, folder: string): void {
	const packages = new Set(librariesOf(addon).map(packageOf));
	const texts = [...packages].map((name) => ({name, text: readFileSync(`/usr/share/doc/${name}/copyright`, 'utf8')}));
	const shared = texts.flatMap(({text}) => [...text.matchAll(/\/usr\/share\/common-licenses\/([\w.-]*\w)/g)]);
	const licences = [...new Set(shared.map(([path]) => path))].map((path) => ({
		name: basename(path),
		text: readFileSync(path, 'utf8'),
	}));
	const parts = [
		'Beside the addon lie libraries that others have made, unchanged, and in it the CUDA runtime.',
		...[cuda, ...texts, ...licences].map(({name, text}) => `${'='.repeat(80)}\n${name}\n${'='.repeat(80)}\n\n${text}`),
	];
	mkdirSync(folder, {recursive: true});
	writeFileSync(join(folder, 'THIRD-PARTY.txt'), parts.join('\n\n'));
}

const cuda = {
	name: 'NVIDIA CUDA runtime (cudart_static)',
	text:
		'Copyright NVIDIA Corporation. Part of alexnet.node, distributed as the CUDA Toolkit End User License Agreement allows ' +
		'of what its Attachment A lists: https://docs.nvidia.com/cuda/eula/\n',
};

function packageOf(library: string): string {
	// Debian lists files where they lay before /lib became a link to /usr/lib.
	const [line = ''] = execFileSync('dpkg', ['--search', `*/${basename(library)}`], {encoding: 'utf8'}).split('\n');
	return line.slice(0, line.indexOf(':'));
}
