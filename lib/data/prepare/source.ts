// Where pictures to prepare come from.

/** A picture and the class that it is of. */
export interface SourcePicture {
	/** 0, or 1 of those held out. */
	readonly part: number;
	readonly label: number;
	/** Its path below the folder of its class. */
	readonly name: string;
	/** What messages call it. */
	readonly path: string;
	/** The bytes of its file. */
	readonly read: () => Promise<Uint8Array>;
}

/** Pictures of known classes, always in the same order. */
export interface Source {
	readonly labels: readonly string[];
	/** 2 where it says which pictures are held out. */
	readonly parts: 1 | 2;
	/** How many pictures there are. */
	readonly total: number;
	/** What tells it from others: a preparation goes on with the same alone. */
	readonly identity: string;
	readonly leftOut: ReadonlyMap<string, number>;
	readonly remarks: readonly string[];
	/** @param from how many of them are left out: those that have been prepared */
	pictures(from: number): Iterable<SourcePicture> | AsyncIterable<SourcePicture>;
}
