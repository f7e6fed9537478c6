// A process that has pictures decoded in a child, and then ends as its first argument says; the second is a picture.
import {argv, exit, kill, pid} from 'node:process';
import {fileURLToPath} from 'node:url';
import {DecoderProcess} from '../../lib/data/decoder-process.ts';

const [way, picture] = argv.slice(2) as [string, string];
const decoder = new DecoderProcess(fileURLToPath(new URL('dying-decoder.ts', import.meta.url)));
await decoder.decode(picture, 8);
if (way === 'exit') exit(0);
if (way === 'SIGKILL') {
	void decoder.decode(picture, 8);
	kill(pid, way);
}
