// config.json as tables: `alexnet train` writes settings, devices and versions; a program may have written anything.
import type {RunConfig} from '../run/run-files.ts';
import type {Fact, Facts, RunData} from './report-data.ts';

const titles: Readonly<Record<string, string>> = {
	settings: 'Settings',
	devices: 'Hardware',
	versions: 'Versions',
	pictures: 'Pictures',
};
const others = 'Run';

export function configFacts(config: RunConfig): RunData['config'] {
	const groups = new Map<string, Fact[]>([others, ...Object.values(titles)].map((title) => [title, []]));
	for (const [name, value] of Object.entries(config)) {
		const title = Object.hasOwn(titles, name) ? titles[name] : undefined;
		const facts = title === undefined || typeof value !== 'object' ? describe(name, value) : describe('', value);
		groups.get(title ?? others)?.push(...facts);
	}
	return [...groups].flatMap(([title, facts]) => (facts.length > 0 ? [{title, facts}] : []));
}

/** Of a longer list, such as the classes, the number of entries is told. */
const longestList = 24;

function describe(name: string, value: unknown): Facts {
	if (typeof value !== 'object' || value === null) return [[name, String(value)]];
	const named = (key: string): string => (name === '' ? key : `${name}.${key}`);
	if (!Array.isArray(value)) return Object.entries(value).flatMap(([key, each]) => describe(named(key), each));
	if (value.length > longestList) return [[name, `${value.length} entries`]];
	if (value.every((each) => typeof each !== 'object')) return [[name, value.join(', ')]];
	if (value.length === 1) return describe(name, value[0]);
	return value.map((each: unknown, index) => [named(String(index)), inOneLine(each)]);
}

/** A layer of an architecture: 'type conv2d, name conv1, kernels 96'. */
function inOneLine(value: unknown): string {
	return describe('', value)
		.map((fact) => fact.join(' ').trim())
		.join(', ');
}
