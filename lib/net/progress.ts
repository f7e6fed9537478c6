// How far a training run is: what it needs, besides the model's tensors and settings, to go on as if never stopped.
import {fields, finite, integer, listOf, must, number, optional, recordOf, text, type Check} from '../base/check.ts';
import type {PictureContents} from '../data/picture-source.ts';

/** What the learning rate waits for; see Schedule. */
export interface ScheduleState {
	/** The lowest validation error so far; none before the first epoch. */
	readonly lowest?: number;
	/** Epochs since then. */
	readonly waited: number;
	/** How often the rate has been divided. */
	readonly divisions: number;
}

/** The epoch under way. */
export interface EpochProgress {
	/** Steps made. */
	readonly steps: number;
	/** How far the epoch's order of pictures is used up, unreadable ones included. */
	readonly place: number;
	/** Sum of the steps' losses. */
	readonly loss: number;
	/** Sum of the steps' top-1 shares. */
	readonly top1: number;
	/** Sum of the steps' top-5 shares. */
	readonly top5: number;
}

/** What decides the last bits of results: on another processor or library a run goes on, but not bit for bit. */
export type Environment = Readonly<Record<string, string>>;

/** Plain data: a checkpoint keeps it as JSON. */
export interface Progress {
	/** Epochs that have ended. */
	readonly epochs: number;
	/** The epoch under way; all 0 between epochs. */
	readonly epoch: EpochProgress;
	/** The epoch with the lowest validation error (training loss, where there is no validation), if one has ended well. */
	readonly best?: {
		/** Which epoch, from 1. */
		readonly epoch: number;
		/** Updates made when it ended. */
		readonly step: number;
		/** Share of held-out pictures told wrongly, from 0 to 1; without validation the training loss. */
		readonly error: number;
	};
	/** What the learning rate waits for; not used with `divideAt`, nor without validation. */
	readonly schedule: ScheduleState;
	/** Places of the training pictures that turned out unreadable, ascending. */
	readonly unreadable: readonly number[];
	/** What the run's pictures are: it can go on with the same ones only. */
	readonly pictures: {
		/** Those that it learns from. */
		readonly train: PictureContents;
		/** Those held out; empty where there are none. */
		readonly validation: PictureContents;
		/**
		 * Places of those that could not be read when the run began, ascending: their sizes are in no digest, as they may
		 * be repaired, and stay left out. Checkpoints of earlier versions have none, and digests of all sizes.
		 */
		readonly unread?: {
			/** Of those that it learns from. */
			readonly train: readonly number[];
			/** Of those held out. */
			readonly validation: readonly number[];
		};
	};
	/** Of the process that trained last. */
	readonly environment: Environment;
}

const contents: Check<PictureContents> = listOf(
	fields<PictureContents[number]>({pictures: integer(0), digest: text, sizes: optional(text)}),
);
/** A million of them are looked at in one go. */
const places: Check<readonly number[]> = must(
	'places of pictures, ascending',
	(value) =>
		Array.isArray(value) &&
		value.every(
			(place, index) => Number.isSafeInteger(place) && Number(place) > (index > 0 ? Number(value[index - 1]) : -1),
		),
);

/** What progress from a file must be. */
export const progressCheck: Check<Progress> = fields<Progress>({
	epochs: integer(0),
	epoch: fields<EpochProgress>({steps: integer(0), place: integer(0), loss: finite, top1: number(0), top5: number(0)}),
	best: optional(fields<NonNullable<Progress['best']>>({epoch: integer(1), step: integer(0), error: finite})),
	schedule: fields<ScheduleState>({lowest: optional(finite), waited: integer(0), divisions: integer(0)}),
	unreadable: places,
	pictures: fields<Progress['pictures']>({
		...{train: contents, validation: contents},
		unread: optional(fields<NonNullable<Progress['pictures']['unread']>>({train: places, validation: places})),
	}),
	environment: recordOf(text),
});
