import {homedir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {cacheFolder} from '../../lib/base/cache-folder.ts';

test.serial('the cache folder is where the XDG specification has it', (t) => {
	const before = process.env.XDG_CACHE_HOME;
	t.teardown(() => {
		if (before === undefined) delete process.env.XDG_CACHE_HOME;
		else process.env.XDG_CACHE_HOME = before;
	});
	process.env.XDG_CACHE_HOME = '/somewhere/else';
	t.is(cacheFolder(), '/somewhere/else/alexnet-cuda');
	for (const none of ['', 'relative/path']) {
		process.env.XDG_CACHE_HOME = none;
		t.is(cacheFolder(), join(homedir(), '.cache/alexnet-cuda'), 'a relative path is ignored');
	}
});
