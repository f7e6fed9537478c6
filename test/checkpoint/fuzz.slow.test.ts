import test from 'ava';
import {fuzzCheckpoints} from '../helpers/fuzz.ts';

test('2,000 checkpoints that went wrong load or are refused', async (t) => fuzzCheckpoints(t, 2000));
