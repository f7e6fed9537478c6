// What `npm test` runs: all tests but the slow ones (ava.slow.config.js) and those that run alone (ava.timed.config.js).
import {readFileSync} from 'node:fs';
import {URL} from 'node:url';

const {ava} = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

export default {...ava, files: [...ava.files, '!test/**/*.slow.test.ts', '!test/**/*.timed.test.ts']};
