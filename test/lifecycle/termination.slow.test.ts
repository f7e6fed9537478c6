// Worker threads that are ended in the middle of their work: by terminate() or by their own process.exit().
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {text} from 'node:stream/consumers';
import {fileURLToPath} from 'node:url';
import {bundleWorker} from '../helpers/bundle.ts';
import {forEachDevice} from '../helpers/devices.ts';
import {temporaryFolder} from '../helpers/pictures.ts';
import {isSimulated} from '../helpers/queue-work.ts';
import {writeSmallPictures} from '../helpers/small-runs.ts';

const child = fileURLToPath(new URL('../helpers/terminations-child.ts', import.meta.url));

/** Six workers end in each, of which three decode pictures. */
const rounds = isSimulated ? 1 : 17;

forEachDevice('worker threads end in the middle of their work, and the process goes on', async (t, {device}) => {
	const worker = await bundleWorker(t, 'terminated-worker.ts');
	const folder = await temporaryFolder(t);
	await writeSmallPictures(folder);
	const args = ['--import=tsx', child, worker, device.id, folder, String(rounds)];
	const process_ = spawn(process.execPath, args, {stdio: ['ignore', 'pipe', 'pipe']});
	const closed = once(process_, 'close');
	const [output, errors] = await Promise.all([text(process_.stdout), text(process_.stderr)]);
	t.is(errors, '');
	t.deepEqual(await closed, [0, null], 'exit code and signal');

	const [before = NaN, working = NaN, first = NaN, ...later] = JSON.parse(output) as number[];
	const [growth, taken] = [(later.at(-1) ?? first) - first, working - before];
	t.log(
		`the workers take ${(taken / 1e6).toFixed()} MB, after the first ones ${(growth / 1e6).toFixed()} MB more stay`,
	);
	t.true(growth < taken, 'what later workers took stays with the process');
});
