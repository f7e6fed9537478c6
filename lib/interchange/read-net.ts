import type {PictureConvention} from './conventions.ts';
import type {Statistics} from '../data/views.ts';
import type {BuiltNet, FileTensor} from './net-builder.ts';

/** A net as a file has it: what its program does to pictures before is not applied yet. */
export interface ReadNet extends BuiltNet {
	/** Side of whole pictures, where the file says it. */
	readonly imageSize?: number | undefined;
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

/** The colours' principal components, as files of ours hold them. */
export function pcaInJson({pca: {values, vectors}}: Statistics): {values: number[]; vectors: number[]} {
	return {values: [...values], vectors: [...vectors]};
}
