// What `npm run test:full` runs: tests that take minutes and gigabytes, one file after the other, as some measure time. The
// rest is as package.json says.
import {readFileSync} from 'node:fs';
import {URL} from 'node:url';

const {ava} = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

export default {...ava, files: ['test/full/**/*.test.ts'], concurrency: 1, timeout: '30m'};
