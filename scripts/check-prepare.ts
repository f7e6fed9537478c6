// Makes 200,000 small pictures (or as many as are named), prepares them, kills that ten times, flips bytes:
// npx tsx scripts/check-prepare.ts [pictures] [folder]
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setUpSharp} from '../lib/data/sharp-settings.ts';
import {checkPrepare} from '../test/helpers/check-prepare.ts';

setUpSharp();
const pictures = Number(process.argv[2] ?? 200_000);
const folder = process.argv[3] ?? (await mkdtemp(join(tmpdir(), 'alexnet-')));
const log = (line: string): void => console.log(line);
const seed = Math.floor(Math.random() * 2 ** 31);
log(`seed ${seed}`);
try {
	// Half as many first: a time that is not linear shows.
	for (const part of [pictures / 2, pictures]) {
		const all = part === pictures;
		const options = {pictures: part, perShard: Math.ceil(pictures / 50), kills: all ? 10 : 0, flips: all ? 10 : 0};
		await checkPrepare({folder: join(folder, `${part}`), seed, log, ...options});
		await rm(join(folder, `${part}`), {recursive: true});
	}
} finally {
	await rm(folder, {recursive: true, force: true});
}
