// The header of a safetensors file, which anybody may have written.
import {
	checked,
	fields,
	integer,
	listOf,
	must,
	oneOf,
	recordOf,
	shortened,
	text,
	where,
	type Check,
} from '../base/check.ts';
import {parseShallow} from '../base/json.ts';
import {elementsOf} from '../device/memory.ts';
import type {Shape} from '../device/tensor.ts';

export interface HeaderEntry {
	readonly dtype: 'F32';
	readonly shape: Shape;
	readonly data_offsets: readonly [number, number];
}

export type Metadata = Readonly<Record<string, string>>;

/** Much more than files of ours have; reading more would take memory and time for nothing. */
export const longestHeader = 2 ** 24;
const mostTensors = 1000;

const entryCheck: Check<HeaderEntry> = where(
	fields<HeaderEntry>({
		dtype: oneOf(['F32']),
		shape: listOf(integer(1), 4),
		data_offsets: where(listOf(integer(0), 2), ({length}) => length === 2, 'two numbers') as Check<
			HeaderEntry['data_offsets']
		>,
	}),
	({shape, data_offsets: [begin, end]}) => end - begin === elementsOf(shape) * 4,
	'a tensor whose bytes are four times its elements',
);

const headerCheck: Check<object> = must(
	`an object of at most ${mostTensors} tensors`,
	(value) => typeof value === 'object' && value !== null && Object.keys(value).length <= mostTensors,
);

/** @throws an error that says what is not as it must be. */
export function parseHeader(json: string): {metadata: Metadata; entries: ReadonlyMap<string, HeaderEntry>} {
	const header = checked('the header', headerCheck, parseShallow(json));
	const {__metadata__: metadata = {}, ...tensors} = header as {__metadata__?: unknown};
	const entries = checked('the header', recordOf(entryCheck), tensors);
	return {metadata: checked('__metadata__', recordOf(text), metadata), entries: new Map(Object.entries(entries))};
}

/**
 * The tensors lie one after the other, whatever their order in the header, up to the end of the file.
 *
 * @param bytes of the file after its header
 */
export function requireNoHoles(entries: ReadonlyMap<string, HeaderEntry>, bytes: number): void {
	let end = 0;
	const offsets = Array.from(entries, ([name, {data_offsets}]) => ({
		name,
		begin: data_offsets[0],
		end: data_offsets[1],
	}));
	for (const tensor of offsets.sort((a, b) => a.begin - b.begin)) {
		if (tensor.begin !== end) {
			throw new Error(
				`${shortened(tensor.name)} begins at byte ${tensor.begin}, where the tensors before it end at ${end}`,
			);
		}
		end = tensor.end;
	}
	if (end === bytes) return;
	const what = end > bytes ? 'it was cut short' : 'something was added';
	throw new Error(`its tensors should have ${end} bytes and have ${bytes}: ${what}`);
}
