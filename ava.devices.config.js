// What `npm run test:simulated` and `scripts/gpu-check` run with ALEXNET_TEST_DEVICES=cuda:0: the files, long ones too, that
// have tests of devices (test/helpers/devices.ts), which then leave out all others. The rest is as package.json says.
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {URL} from 'node:url';

const {ava} = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const root = new URL('.', import.meta.url).pathname;

const sources = readdirSync(join(root, 'test'), {recursive: true})
	.filter((name) => name.endsWith('.ts'))
	.map((name) => ({name: join('test', name), text: readFileSync(join(root, 'test', name), 'utf8')}));

/** Those that import one of these helpers, by itself or through another helper. */
function importing(helpers) {
	const pattern = new RegExp(`from '(?:\\./|\\.\\./helpers/)(?:${helpers.join('|')})\\.ts'`);
	const found = sources.filter(({text}) => pattern.test(text)).map(({name}) => name);
	const all = new Set([...helpers, ...found.flatMap((name) => /^test\/helpers\/(.*)\.ts$/.exec(name)?.[1] ?? [])]);
	return all.size > helpers.length ? importing([...all]) : found;
}

const files = importing(['devices']).filter((name) => name.endsWith('.test.ts'));

export default {...ava, files, timeout: '30m'};
