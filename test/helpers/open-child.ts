// Opens a folder, and prints what that took: seconds, the longest turn of the event loop, megabytes of the whole process.
import {setTimeout} from 'node:timers/promises';
import {ImageFolder} from '../../lib/index.ts';
import {busyTurns} from './timer-gaps.ts';

const start = performance.now();
let [pictures, seconds] = [0, 0];
const turns = await busyTurns(async () => {
	const {train, validation} = await ImageFolder.open(process.argv[2] ?? '');
	seconds = (performance.now() - start) / 1000;
	pictures = train.size + validation.size;
	await setTimeout(20);
});
const megabytes = process.resourceUsage().maxRSS / 1000;
process.stdout.write(JSON.stringify({pictures, seconds, longestTurn: Math.max(...turns), megabytes}));
