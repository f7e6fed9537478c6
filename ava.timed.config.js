// Tests that measure time or memory and therefore run alone: the second half of `npm run test:slow`.
import {readFileSync} from 'node:fs';
import {URL} from 'node:url';

const {ava} = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

export default {...ava, files: ['test/**/*.timed.test.ts'], concurrency: 1};
