// What `npm run test:asan` and `npm run test:tsan` run. The rest is as package.json says.
import {readFileSync} from 'node:fs';
import {URL} from 'node:url';

const {ava} = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

export default {...ava, timeout: '20m'};
