// Output that nobody reads any more.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import test from 'ava';

const module = fileURLToPath(new URL('../../cli/output.ts', import.meta.url));

/** Ends with 7 where it comes to its end although its reader left after the first line. */
async function exitCode(begin: string, stream: 'stdout' | 'stderr'): Promise<number | null> {
	const program = `
		import {once} from 'node:events';
		import {outliveOutput, Output, watchOutput} from ${JSON.stringify(module)};
		watchOutput();
		${begin}
		const output = new Output();
		const write = (text) => (${stream === 'stdout'} ? output.result(text) : output.note(text));
		write('first');
		await once(process.stdin, 'end').catch(() => undefined);
		for (let line = 0; line < 100; ++line) {
			write('nobody reads this');
			output.progress('work', line, 100);
			await new Promise(setImmediate);
		}
		process.exit(7);`;
	const args = ['--import=tsx', '--input-type=module', '--eval', `process.stdin.resume();${program}`];
	const child = spawn(process.execPath, args, {stdio: 'pipe'});
	const ended = once(child, 'exit');
	await once(child[stream], 'data');
	child[stream].destroy();
	await once(child[stream], 'close');
	child.stdin.end();
	const [code] = (await ended) as [number | null];
	return code;
}

test('a command that works goes on without a reader of its results', async (t) => {
	t.is(await exitCode('outliveOutput();', 'stdout'), 7);
	t.is(await exitCode('outliveOutput();', 'stderr'), 7);
});

test('a command that only tells ends quietly, as others in a pipe do', async (t) => {
	t.is(await exitCode('', 'stdout'), 141);
	t.is(await exitCode('', 'stderr'), 7, 'its results still have a reader');
});
