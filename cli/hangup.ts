// Whether the terminal may close without ending us. Node forgets that SIGHUP was ignored when it began, as nohup and a
// shell's `trap '' HUP` have it, so that has to be told from what else they leave.
import {readFileSync} from 'node:fs';

/** SIGHUP is signal 1: the lowest bit. */
const hangupBit = 1n;

export function ignoresHangup(environment: NodeJS.ProcessEnv = process.env): boolean {
	// Shells put the command they ran here, and nohup hands it on.
	if (/(^|\/)nohup$/.test(environment._ ?? '')) return true;
	return isStdinUnreadable() || parentIgnoresHangup();
}

/** GNU nohup puts /dev/null, open for writing alone, in the place of a terminal. */
function isStdinUnreadable(): boolean {
	const flags = /^flags:\s+(\d+)/m.exec(readText('/proc/self/fdinfo/0'))?.[1] ?? '0';
	return parseInt(flags, 8) % 4 === 1;
}

function parentIgnoresHangup(): boolean {
	const ignored = /^SigIgn:\s+([0-9a-f]+)/m.exec(readText(`/proc/${process.ppid}/status`))?.[1] ?? '0';
	return (BigInt(`0x${ignored}`) & hangupBit) !== 0n;
}

function readText(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
}
