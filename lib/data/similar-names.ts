// Names that are not the same, and that people or other systems take for the same.

/** Letters of other alphabets, in lower case, and the Latin ones that they look like, in either case. */
const others = 'авекмнорстухіјѕһԁԛԝαβεζηικμνορτυχıɑɡ';
const latin = 'abekmhopctyxijshdqwabezhikmvoptuxiag';
const lookalikes = new Map(Array.from(others, (letter, index) => [letter, latin[index] ?? letter]));

/** Plain names, which are most, need no looking up. */
const plain = /^[!-~]*$/;

/** What is left of a name without case, Unicode's form, invisible characters and letters of other alphabets. */
function skeletonOf(name: string): string {
	if (plain.test(name)) return name.toLowerCase();
	const folded = name
		.normalize('NFKC')
		.toLowerCase()
		.normalize('NFKC')
		.replace(/[\p{Cf}\p{Cc}]/gu, '')
		.replace(/\p{Pd}/gu, '-')
		.replace(/[‘’ʼ]/gu, "'")
		.replace(/\s+/gu, ' ')
		.trim();
	return Array.from(folded, (letter) => lookalikes.get(letter) ?? letter).join('');
}

/**
 * Those of the items whose names are alike, in groups of at least two.
 *
 * @param pause is awaited after each name
 */
export async function similar<T>(
	items: readonly T[],
	nameOf: (item: T) => string,
	pause: () => Promise<void>,
): Promise<T[][]> {
	const groups = new Map<string, T[]>();
	for (const item of items) {
		const skeleton = skeletonOf(nameOf(item));
		const group = groups.get(skeleton);
		if (group) group.push(item);
		else groups.set(skeleton, [item]);
		await pause();
	}
	return [...groups.values()].filter(({length}) => length > 1);
}

/** How names of a group differ, in words that follow them. */
export function differenceOf(names: readonly string[]): string {
	const distinct = (of: (name: string) => string): number => new Set(names.map(of)).size;
	if (distinct((name) => name.normalize('NFC')) === 1) return 'differ in Unicode form (composed or not) alone';
	if (distinct((name) => name.normalize('NFC').toLowerCase()) === 1) return 'differ in case alone';
	if (distinct((name) => name.toLowerCase().replace(/\s+/gu, ' ').trim()) === 1) return 'differ in spaces alone';
	const odd = new Set(names.flatMap((name) => Array.from(name).filter((letter) => !/^[ -~]$/.test(letter))));
	const codes = Array.from(
		odd,
		(letter) => `U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`,
	);
	return `look alike (${codes.join(', ')})`;
}
