import test from 'ava';
import {fuzzCheckpoints} from '../helpers/fuzz.ts';

test('100,000 checkpoints that went wrong load or are refused', async (t) => fuzzCheckpoints(t, 100_000));
