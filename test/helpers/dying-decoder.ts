// A decoder's process in which pictures may have an order behind their end.
import {writeFileSync} from 'node:fs';
import process, {kill, pid, stderr} from 'node:process';
import {fileURLToPath} from 'node:url';
import type {Task} from '../../lib/data/decoder-process.ts';

const mark = 'decoder, please ';

/**
 * A picture's bytes with an order to the process that decodes it: `<signal>`, `<signal> once <file>`, `<signal> again
 * <file>`, `survive` or `tell`.
 */
export function withOrder(bytes: Uint8Array, order: string): Buffer {
	return Buffer.concat([bytes, Buffer.from(mark + order)]);
}

function obey(order: string): void {
	if (order === 'tell') stderr.write(`decoder ${pid}\n`);
	else if (order === 'survive') for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) kill(pid, signal);
	else {
		const [signal = '', when, file] = order.split(' ');
		if (file !== undefined && isFirst(file) !== (when === 'once')) return;
		kill(pid, signal);
	}
}

function isFirst(file: string): boolean {
	try {
		writeFileSync(file, '', {flag: 'wx'});
		return true;
	} catch {
		return false;
	}
}

// Not where a test imports this.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
	process.on('message', ({bytes}: Task) => {
		const text = Buffer.from(bytes).toString('latin1');
		if (text.includes(mark)) obey(text.slice(text.indexOf(mark) + mark.length));
	});
	// It hangs when it is to end; not for ever, should it outlive its test.
	process.on('exit', () => {
		for (const end = Date.now() + 20_000; Date.now() < end;);
	});
	await import('../../lib/data/decoder-child.ts');
}
