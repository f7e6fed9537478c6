// A process under limits: tells the CPU device as it finds it, then does what it is asked to.
import {readFileSync, readdirSync} from 'node:fs';
import {AlexNet, isAlexNetError, listDevices} from '../../lib/index.ts';

export interface Scheduling {
	niceness: number;
	/** As sched.h has it. */
	policy: number;
}

/** Of a thread, from its /proc/…/stat: the fields after its name, which may hold spaces, begin with the third. */
function scheduling(text: string): Scheduling {
	const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
	return {niceness: Number(fields[19 - 3]), policy: Number(fields[41 - 3])};
}

const [task] = process.argv.slice(2);
const [cpu] = listDevices({probe: true});
const kilobytes = Number(/^VmSize:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
const told = {
	...cpu,
	mappedBytes: kilobytes * 1024,
	computing: [] as Scheduling[],
	main: scheduling(readFileSync('/proc/self/stat', 'utf8')),
	error: '',
};

try {
	if (task === 'train') {
		await using model = await AlexNet.create({classes: 2, columns: 1, batchSize: 2});
		await model.trainStep({images: new Uint8Array(2 * 256 * 256 * 3), labels: [0, 1]});
		const all = readdirSync('/proc/self/task').map((id) => readFileSync(`/proc/self/task/${id}/stat`, 'utf8'));
		told.computing = all.filter((text) => text.includes('(alexnet cpu:0)')).map(scheduling);
	} else if (task === 'large') {
		await using model = await AlexNet.create({classes: 1000, batchSize: 128});
		await model.trainStep({images: new Uint8Array(128 * 256 * 256 * 3), labels: new Int32Array(128)});
	}
} catch (error) {
	if (!isAlexNetError(error)) throw error;
	told.error = error.code;
}
console.log(JSON.stringify(told));
