// The files of a folder of prepared pictures, and what its index says before the pictures themselves.
import {distinctNames, fields, integer, listOf, oneOf, option, text, where} from '../../base/check.ts';
import {AlexNetError} from '../../base/errors.ts';

/** The pictures one after the other, without anything between. */
export const shardName = (shard: number): string => `shard-${String(shard).padStart(5, '0')}.pack`;
/** Which pictures there are and where each lies, as {@link PackIndex} reads it: it is written last. */
export const indexName = 'pictures.index';
/** What is being prepared, or was: a preparation goes on only with the same. */
export const preparationName = 'preparation.json';
/** What a whole shard holds, until there is an index. */
export const shardListName = (shard: number): string => `shard-${String(shard).padStart(5, '0')}.json`;

/** How a picture is kept. */
export type PackedAs = 'raw' | 'jpeg';

export const packedAs = option(
	oneOf(['raw', 'jpeg']),
	'how pictures are kept: their pixels as they are, or as JPEGs of a tenth of the bytes',
	'raw',
);

/** What an index says of all pictures together. */
export interface PackHeader {
	readonly type: 'alexnet-pictures-1';
	readonly as: PackedAs;
	/** Side S of the pictures, which are [S, S, 3]. */
	readonly imageSize: number;
	readonly labels: readonly string[];
	/** Pictures of each class: of all there are, or of those to train on and of those held out. */
	readonly parts: readonly (readonly number[])[];
	/** Bytes of each shard. */
	readonly shards: readonly number[];
	/** As `ImageFolder` has it: extension and number. */
	readonly leftOut: readonly {readonly extension: string; readonly files: number}[];
	readonly remarks: readonly string[];
}

/** As many as an index has room for. */
const mostPictures = 2 ** 27;

const counts = listOf(integer(0, mostPictures));

export const headerCheck = where(
	fields<PackHeader>({
		type: oneOf(['alexnet-pictures-1']),
		as: packedAs,
		imageSize: integer(1, 2 ** 15),
		labels: distinctNames(1),
		parts: where(listOf(counts), ({length}) => length === 1 || length === 2, 'a list of one or two parts'),
		shards: listOf(integer(0, 2 ** 32)),
		leftOut: listOf(fields<PackHeader['leftOut'][number]>({extension: text, files: integer(0)})),
		remarks: listOf(text),
	}),
	({labels, parts}) => parts.every(({length}) => length === labels.length),
	'a header with a number of pictures for each class',
);

/** What a picture's place in the index tells of it. */
export interface PackedEntry {
	readonly part: number;
	readonly label: number;
	/** Its path below the class's folder. */
	readonly name: string;
	/** Of the file that it was made of. */
	readonly bytes: number;
	readonly shard: number;
	readonly offset: number;
	/** 0 where it could not be read. */
	readonly length: number;
	/** CRC-32 of what is kept. */
	readonly crc: number;
	/** Why it could not be read, or what is known of damage in it; mostly empty. */
	readonly reason: string;
}

/** @throws ALEXNET_FOLDER, always. */
export function damaged(path: string, what: string, options?: ErrorOptions): AlexNetError {
	return new AlexNetError(
		'ALEXNET_FOLDER',
		`'${path}', the index of prepared pictures, is damaged: ${what}. Put it back from a copy, or prepare the pictures ` +
			'again, into another folder.',
		options,
	);
}
