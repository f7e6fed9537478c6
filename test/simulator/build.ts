// What `npm run build:simulated` left: its objects, the commands that made them, and the simulator's library.
import {existsSync, readFileSync, statSync} from 'node:fs';
import {join, relative} from 'node:path';
import {filesBelow, root} from '../helpers/sources.ts';

const build = join(root, 'build/Simulated');
/** The library that stands in for the CUDA runtime. */
export const library = join(build, 'libalexnet_simulator.a');

/** Fails unless the simulated build is there and newer than the sources. */
export function requireBuild(): void {
	const addon = join(build, 'Release/alexnet.node');
	if (!existsSync(addon)) throw new Error(`There is no ${addon}. Run 'npm run build:simulated' first.`);
	const built = statSync(addon).mtimeMs;
	const sources = ['core', 'cuda', 'simulator'].flatMap((folder) => filesBelow(folder, /\.(cc|cu|h|cuh)$/));
	const newer = sources.find((file) => statSync(join(root, file)).mtimeMs > built);
	if (newer === undefined) return;
	throw new Error(`${newer} is newer than the simulated build. Run 'npm run build:simulated' first.`);
}

export interface Command {
	directory: string;
	command: string;
	file: string;
	object: string;
}

/** How the build compiled the sources of core/ and cuda/, by their path in the repository. */
function readCommands(): Map<string, Command> {
	requireBuild();
	const entries = JSON.parse(readFileSync(join(build, 'compile_commands.json'), 'utf8')) as Command[];
	const commands = new Map<string, Command>();
	for (const entry of entries) {
		const source = relative(root, entry.file);
		const object = / -o (\S+)/.exec(entry.command)?.[1];
		if (/^(core|cuda)\//.test(source) && object !== undefined) commands.set(source, {...entry, object});
	}
	return commands;
}

let known: Map<string, Command> | undefined;
/** {@link readCommands}, once. */
export const commands = (): Map<string, Command> => (known ??= readCommands());

/** The objects of core/ and cuda/ that the simulated build made. */
export function builtObjects(): string[] {
	return [...commands().values()].map(({directory, object}) => join(directory, object));
}
