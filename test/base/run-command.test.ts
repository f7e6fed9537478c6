import test from 'ava';
import {CommandError, runCommand} from '../../lib/base/run-command.ts';

const node = async (script: string, signal?: AbortSignal): Promise<string> =>
	runCommand(process.execPath, ['-e', script], {signal});

test('a program is run to its end, and what it says is told where it fails', async (t) => {
	await t.notThrowsAsync(node('process.exitCode = 0'));
	t.is(await node('console.log(7)'), '7\n');
	const failed = await t.throwsAsync(node('console.error("too bad"); process.exitCode = 3'), {
		instanceOf: CommandError,
	});
	t.is(failed.said, 'too bad\n');
	t.false(failed.isMissing);
	const missing = await t.throwsAsync(runCommand('no-such-program-at-all', []), {instanceOf: CommandError});
	t.true(missing.isMissing);
	const long = await t.throwsAsync(node('console.error("x".repeat(1e6) + "end"); process.exitCode = 1'), {
		instanceOf: CommandError,
	});
	t.true(long.said.length < 1e5 && long.said.endsWith('end\n'), 'the end of what it says is kept');
});

test('a signal ends it, before or while it runs', async (t) => {
	const reason = new Error('enough');
	t.is(await t.throwsAsync(node('', AbortSignal.abort(reason))), reason);
	const controller = new AbortController();
	const running = node('setInterval(() => {}, 1000)', controller.signal);
	controller.abort(reason);
	t.is(await t.throwsAsync(running), reason);
});
