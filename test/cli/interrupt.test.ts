import {fileURLToPath} from 'node:url';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import test from 'ava';
import {Interruption} from '../../cli/exit-codes.ts';
import {Interruptible} from '../../cli/interrupt.ts';

test('a first signal aborts with the reason, and what passes it on a second time changes nothing', (t) => {
	let told = 0;
	using interruptible = new Interruptible(() => ++told);
	const {signal} = interruptible;
	process.emit('SIGTERM', 'SIGTERM');
	process.emit('SIGTERM', 'SIGTERM');
	t.true(signal.aborted);
	t.true(signal.reason instanceof Interruption);
	t.is((signal.reason as Interruption).signal, 'SIGTERM');
	t.is(told, 1);
});

test('after dispose() signals end the process again', (t) => {
	const before = process.listenerCount('SIGINT');
	const interruptible = new Interruptible(() => undefined);
	t.is(process.listenerCount('SIGINT'), before + 1);
	interruptible[Symbol.dispose]();
	t.is(process.listenerCount('SIGINT'), before);
});

test('a second Ctrl-C ends a process that does not come to an end', async (t) => {
	const module = fileURLToPath(new URL('../../cli/interrupt.ts', import.meta.url));
	const program = `
		import {Interruptible} from ${JSON.stringify(module)};
		new Interruptible(() => console.log('first'));
		setInterval(() => undefined, 1000);
		console.log('ready');`;
	const args = ['--import=tsx', '--input-type=module', '--eval', program];
	const child = spawn(process.execPath, args, {stdio: ['ignore', 'pipe', 'inherit']});
	const ended = once(child, 'exit');
	await once(child.stdout, 'data');
	child.kill('SIGINT');
	await once(child.stdout, 'data');
	t.is(child.exitCode, null);
	await new Promise((resolve) => setTimeout(resolve, 400));
	child.kill('SIGINT');
	t.deepEqual(await ended, [130, null]);
});

/** What a shell runs, in a terminal-less process: prints what the program finds when it gets a SIGHUP. */
async function hungUp(shell: string[]): Promise<string> {
	const module = fileURLToPath(new URL('../../cli/interrupt.ts', import.meta.url));
	const program = `
		import {Interruptible} from ${JSON.stringify(module)};
		const {signal} = new Interruptible(() => undefined);
		setInterval(() => undefined, 1000);
		process.kill(process.pid, 'SIGHUP');
		process.on('SIGHUP', () => {
			console.log(signal.aborted ? signal.reason.signal : 'goes on');
			process.exit();
		});`;
	const [command = '', ...args] = shell;
	const node = [process.execPath, '--import=tsx', '--input-type=module', '--eval', program];
	const child = spawn(command, [...args, ...node], {
		stdio: ['ignore', 'pipe', 'inherit'],
		env: {...process.env, _: ''},
	});
	let printed = '';
	child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
	await once(child, 'close');
	return printed.trim();
}

test('SIGHUP interrupts, but not where it was ignored: under nohup and in a shell that traps it', async (t) => {
	t.is(await hungUp(['env']), 'SIGHUP');
	t.is(await hungUp(['bash', '-c', 'nohup "$@"', 'bash']), 'goes on');
	t.is(await hungUp(['bash', '-c', 'trap "" HUP; "$@"; true', 'bash']), 'goes on');
	t.is(await hungUp(['bash', '-c', '"$@" 0> /dev/null', 'bash']), 'goes on', 'as nohup leaves stdin of a terminal');
});
