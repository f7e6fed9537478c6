// A process that has pictures decoded in a child, and then ends as its first argument says; the second is a picture.
import {argv, exit, kill, pid} from 'node:process';
import {setImmediate as turn} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {DecoderProcess} from '../../lib/data/decoder-process.ts';

const [way, picture] = argv.slice(2) as [string, string];
// One that never had a picture may end by itself, which the dying decoder makes long.
const module = way === 'early' ? undefined : fileURLToPath(new URL('dying-decoder.ts', import.meta.url));
const decoder = new DecoderProcess(module);
const decoding = decoder.decode(picture, 8);
if (way === 'early') {
	while (decoder.pending === 0) await turn();
	kill(pid, 'SIGKILL');
}
await decoding;
if (way === 'exit') exit(0);
if (way === 'SIGKILL') {
	void decoder.decode(picture, 8);
	kill(pid, way);
}
