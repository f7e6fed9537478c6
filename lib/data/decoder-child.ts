// The process that a DecoderProcess decodes in. It lives as long as its channel: however the parent ends, so does it.
import {messageOf} from '../base/errors.ts';
import {prepareData} from './decode.ts';
import type {Answer, Task} from './decoder-process.ts';
import {PictureError} from './picture-input.ts';
import {setUpSharp} from './sharp-settings.ts';

setUpSharp();

/** What a terminal or a service manager sends to all processes of a run: the parent says when it ends. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) process.on(signal, () => undefined);

// Not exit(), which would wait for the pictures that are being decoded.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

process.on('message', (task: Task) => void answer(task).then(send));

async function answer({id, bytes, imageSize, quality}: Task): Promise<Answer> {
	try {
		return {id, decoded: await prepareData({name: undefined, bytes}, imageSize, quality)};
	} catch (error) {
		if (!(error instanceof PictureError)) return {id, failure: messageOf(error)};
		const {reason, advice, cause} = error;
		return {id, refusal: {reason, advice, cause: cause instanceof Error ? cause.message : undefined}};
	}
}

/** A parent that is gone needs no answer. */
function send(message: Answer | 'ready'): void {
	process.send?.(message, undefined, undefined, () => undefined);
}

send('ready');
