// Fifty kills: more of them than in test/lifecycle/kill.slow.test.ts, at other moments.
import test from 'ava';
import {killAndResume} from '../helpers/kills.ts';
import {temporaryFolder} from '../helpers/pictures.ts';

test('a run that is killed at fifty moments and resumed ends as one that was left alone', async (t) => {
	await killAndResume(t, await temporaryFolder(t), 50, 'fifty kills');
});
