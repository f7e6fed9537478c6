// This package as it is installed.
import {createRequire} from 'node:module';
import {dirname} from 'node:path';
import {AlexNetError} from './errors.ts';

const name = 'alexnet-cuda';

/** The package's own folder. A package finds itself by its name, wherever it lies; a bundle of it does not. */
export function packageRoot(): string {
	return dirname(fromHere((require) => require.resolve(`${name}/package.json`)));
}

export const packageVersion = fromHere((require) => require(`${name}/package.json`) as {version: string}).version;

function fromHere<T>(find: (require: NodeJS.Require) => T): T {
	try {
		return find(createRequire(import.meta.url));
	} catch (error) {
		throw new AlexNetError(
			'ALEXNET_ADDON',
			`${name} cannot find its own files from ${import.meta.url}: a bundler seems to have moved its code. Mark ${name} ` +
				`as external (esbuild --external:${name}) and install it beside the bundle.`,
			{cause: error},
		);
	}
}
