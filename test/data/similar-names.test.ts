// Names that people or other systems take for one.
import test from 'ava';
import {differenceOf, similar} from '../../lib/data/similar-names.ts';

const pause = async (): Promise<void> => Promise.resolve();
const groupsOf = async (names: readonly string[]): Promise<string[][]> => similar(names, (name) => name, pause);

const alike: readonly (readonly [string, string, string])[] = [
	['Cat', 'cat', 'differ in case alone'],
	['STRASSE ß', 'strasse ß', 'differ in case alone'],
	['ÉTÉ', 'été', 'differ in case alone'],
	['café', 'café'.normalize('NFD'), 'differ in Unicode form (composed or not) alone'],
	['Café', 'café'.normalize('NFD'), 'differ in case alone'],
	['cat', 'c\u0430t', 'look alike (U+0430)'],
	['OMEGA', '\u039fMEGA', 'look alike (U+039F)'],
	['a b', 'a  b', 'differ in spaces alone'],
	['a b', 'a b ', 'differ in spaces alone'],
	['a b', 'a\u00a0b', 'differ in spaces alone'],
	['cat', 'ca\u200bt', 'look alike (U+200B)'],
	['x-y', 'x\u2013y', 'look alike (U+2013)'],
	["dog's", 'dog’s', 'look alike (U+2019)'],
	['fi', '\ufb01', 'look alike (U+FB01)'],
	['１２', '12', 'look alike (U+FF11, U+FF12)'],
	['СОСНА', 'сосна', 'differ in case alone'],
];

test('names that look alike are found, with the difference', async (t) => {
	for (const [one, other, difference] of alike) {
		t.deepEqual(await groupsOf([one, 'between', other]), [[one, other]], `${one} and ${other}`);
		t.is(differenceOf([one, other]), difference);
	}
});

test('other names are not', async (t) => {
	const names = [
		'cat',
		'cats',
		'café',
		'cafe',
		'les',
		'лес',
		'l',
		'1',
		'o',
		'0',
		'x_y',
		'x-y',
		'xy',
		'a.jpg',
		'a.png',
		'猫',
		'犬',
	];
	t.deepEqual(await groupsOf(names), []);
});

test('groups of several, in the order of the names', async (t) => {
	t.deepEqual(await groupsOf(['b', 'A', 'a', 'B', 'c', 'ａ']), [
		['b', 'B'],
		['A', 'a', 'ａ'],
	]);
});
