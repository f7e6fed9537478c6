// Whether a resumed run has the pictures that it began with.
import {AlexNetError} from '../base/errors.ts';
import type {PictureContents, PictureSource} from '../data/picture-source.ts';
import type {Progress} from '../net/progress.ts';

/** How many classes a message names. */
const mostNamed = 5;

/** What the sources of a run hold; of one that does not tell, how many pictures. */
export async function contentsOf(
	source: PictureSource,
	validation: PictureSource | undefined,
	unread: Progress['pictures']['unread'],
): Promise<Progress['pictures']> {
	const of = async (part: PictureSource, places: readonly number[] | undefined): Promise<PictureContents> =>
		part.contents ? part.contents(places) : [{pictures: part.size, digest: ''}];
	return {
		train: await of(source, unread?.train),
		validation: validation ? await of(validation, unread?.validation) : [],
		...(unread && {unread}),
	};
}

/**
 * Where either side does not know the files' sizes, as in checkpoints of earlier versions, these may be any; so may
 * those of pictures that could not be read when the run began.
 *
 * @throws ALEXNET_FOLDER where pictures have come, gone, changed their names or been replaced by files of other sizes;
 * the message says in which classes.
 */
export function requireSamePictures(
	labels: readonly string[],
	before: Progress['pictures'],
	now: Progress['pictures'],
): void {
	const changes = [
		...changesOf(labels, 'training', before.train, now.train),
		...changesOf(labels, 'held-out', before.validation, now.validation),
	];
	if (changes.length === 0) return;
	const rest = changes.length - mostNamed;
	throw new AlexNetError(
		'ALEXNET_FOLDER',
		`The pictures are not those that this run began with: ${changes.slice(0, mostNamed).join('; ')}` +
			`${rest > 0 ? `; and ${rest} more classes` : ''}. Put the folder back as it was, or begin a new run.`,
	);
}

function changesOf(labels: readonly string[], part: string, before: PictureContents, now: PictureContents): string[] {
	const none: PictureContents[number] = {pictures: 0, digest: ''};
	return Array.from({length: Math.max(before.length, now.length)}, (_, label) => {
		const [old, fresh] = [before[label] ?? none, now[label] ?? none];
		const name = Math.max(before.length, now.length) === labels.length ? ` of '${labels[label] ?? ''}'` : '';
		if (old.pictures !== fresh.pictures) {
			return [`there are ${fresh.pictures} ${part} pictures${name} instead of ${old.pictures}`];
		}
		if (old.digest !== fresh.digest) return [`the ${part} pictures${name} have other names`];
		if (old.sizes === undefined || fresh.sizes === undefined || old.sizes === fresh.sizes) return [];
		return [`some ${part} pictures${name} were replaced: their sizes have changed`];
	}).flat();
}
