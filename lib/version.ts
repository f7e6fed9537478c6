import {createRequire} from 'node:module';

/** This package's version, from wherever it is installed. */
export const packageVersion = (createRequire(import.meta.url)('alexnet-cuda/package.json') as {version: string})
	.version;
