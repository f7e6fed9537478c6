import type {PictureConvention} from './conventions.ts';
import type {BuiltNet, FileTensor} from './net-builder.ts';

/** A net as a file has it: what its program does to pictures before is not applied yet. */
export interface ReadNet extends BuiltNet {
	/** What the net subtracts from pictures: one value, one a channel, or planes. */
	readonly mean?: FileTensor | undefined;
	/** What it divides them by then. */
	readonly divisor?: FileTensor | undefined;
	/** Whose pictures files of this format expect. */
	readonly preset?: PictureConvention;
	/** JSON, where the file is ours. */
	readonly labels?: string | undefined;
	readonly pca?: string | undefined;
}
