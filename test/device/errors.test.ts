// Errors of the addon are those of lib/base/errors.ts, thrown or rejected, in each thread that loads it.
import {once} from 'node:events';
import {Worker} from 'node:worker_threads';
import {AlexNetError, DisposedError, isAlexNetError} from '../../lib/base/errors.ts';
import {errorsOf} from '../helpers/addon-errors.ts';
import {bundleWorker} from '../helpers/bundle.ts';
import {forEachDevice} from '../helpers/devices.ts';

const codes = ['ALEXNET_ARGUMENT', 'ALEXNET_LABEL', 'ALEXNET_DISPOSED'] as const;

forEachDevice('errors of the addon have their class, name, code and stack', async (t, {device}) => {
	const errors = await errorsOf(device.id);
	t.is(errors.length, codes.length + 1);
	errors.forEach((error, index) => {
		const code = codes[index] ?? 'ALEXNET_DISPOSED';
		const isDisposed = code === 'ALEXNET_DISPOSED';
		if (!(error instanceof AlexNetError)) return t.fail(`error ${index} is ${String(error)}`);
		t.true(isAlexNetError(error, code), error.code);
		t.is(error instanceof DisposedError, isDisposed);
		t.is(error.name, isDisposed ? 'DisposedError' : 'AlexNetError');
		t.regex(error.stack ?? '', new RegExp(`^${error.name}: `));
	});
});

forEachDevice('errors of the addon have their class in a worker thread', async (t, {device}) => {
	const worker = new Worker(await bundleWorker(t, 'error-worker.ts'), {workerData: {device: device.id}});
	const [seen] = (await once(worker, 'message')) as [unknown];
	await worker.terminate();
	const disposed = ['ALEXNET_DISPOSED', true, 'DisposedError'];
	t.deepEqual(seen, [...codes.slice(0, 2).map((code) => [code, false, 'AlexNetError']), disposed, disposed]);
});
