// Tests that take many seconds, most of them in processes of their own: the first half of `npm run test:slow`.
import {readFileSync} from 'node:fs';
import {URL} from 'node:url';

const {ava} = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

export default {...ava, files: ['test/**/*.slow.test.ts']};
