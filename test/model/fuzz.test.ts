import test from 'ava';
import {fuzzCheckpoints} from '../helpers/fuzz.ts';

test('1,000 checkpoints that went wrong load or are refused', async (t) => fuzzCheckpoints(t, 1000));
