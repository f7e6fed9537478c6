import test from 'ava';
import {checkPrepare} from '../../helpers/check-prepare.ts';
import {temporaryFolder} from '../../helpers/pictures.ts';

test('killed at ten moments and started again it ends with the same bytes; each flipped byte is found', async (t) => {
	const seed = Math.floor(Math.random() * 2 ** 31);
	t.log(`seed ${seed}; npx tsx scripts/check-prepare.ts does the same with 200,000 pictures`);
	const folder = await temporaryFolder(t);
	const log = (line: string): void => t.log(line);
	await checkPrepare({folder, seed, log, pictures: 3000, perShard: 100, kills: 10, flips: 20});
	t.pass();
});
