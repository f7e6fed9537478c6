// What `npm test` runs: all tests but those of many seconds (*.slow.test.ts) and those that measure time or memory and run alone
// (*.timed.test.ts): `npm run test:slow` has them.
import {readFileSync} from 'node:fs';
import {URL} from 'node:url';

const {ava} = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

export default {...ava, files: [...ava.files, '!test/**/*.slow.test.ts', '!test/**/*.timed.test.ts']};
