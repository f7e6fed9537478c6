// What the devkit of ILSVRC-2012 says: the 1,000 classes, and the class of each picture of the validation set.
import {createHash} from 'node:crypto';
import {AlexNetError, messageOf} from '../../base/errors.ts';
import {byCodeUnits} from '../listing.ts';
import {readMatStructs, type MatStruct} from './mat-file.ts';
import {tarFiles} from './tar-entries.ts';

export interface Devkit {
	/** WordNet's number and the first of its words, "n01440764 tench", in the order of the numbers. */
	readonly labels: readonly string[];
	/** Place of a class by WordNet's number. */
	readonly places: ReadonlyMap<string, number>;
	/** Place of the class of each picture of the validation set, by its number from 1. */
	readonly validation: readonly number[];
	/** How many pictures there are to train on. */
	readonly trained: number;
	/** Of its files. */
	readonly digest: string;
}

const [metaName, truthName] = ['data/meta.mat', 'data/ILSVRC2012_validation_ground_truth.txt'];

/** @throws ALEXNET_FOLDER where the archive is none, or says nothing of the classes. */
export async function readDevkit(path: string): Promise<Devkit> {
	const [meta, truth] = await filesOf(path);
	let synsets: MatStruct[];
	try {
		synsets = await readMatStructs(meta, 'synsets');
	} catch (error) {
		throw unusable(path, `${metaName} cannot be read: ${messageOf(error)}`, error);
	}
	const classes = synsets.flatMap((synset) => {
		const {ILSVRC2012_ID: id, WNID: wnid, words, num_children: children, num_train_images: pictures} = synset;
		const isClass =
			Array.isArray(children) && children[0] === 0 && typeof wnid === 'string' && typeof words === 'string';
		const [number, trained] = [firstOf(id), firstOf(pictures)];
		return isClass && number !== undefined ? [{number, wnid, words, trained: trained ?? 0}] : [];
	});
	if (classes.length === 0) throw unusable(path, `${metaName} tells of no classes`);
	classes.sort((first, second) => byCodeUnits(first.wnid, second.wnid));
	const byNumber = new Map(classes.map(({number}, place) => [number, place]));
	const lines = truth
		.toString('latin1')
		.split(/\r?\n/)
		.filter((line) => line.trim() !== '');
	const validation = lines.map((line, place) => {
		const label = byNumber.get(Number(line));
		if (label === undefined)
			throw unusable(path, `line ${place + 1} of ${truthName} names no class: '${line.slice(0, 40)}'`);
		return label;
	});
	return {
		labels: classes.map(({wnid, words}) => `${wnid} ${words.split(',')[0]?.trim() ?? ''}`.trim()),
		places: new Map(classes.map(({wnid}, place) => [wnid, place])),
		validation,
		trained: classes.reduce((sum, {trained}) => sum + trained, 0),
		digest: createHash('sha256').update(meta).update(truth).digest('hex'),
	};
}

const firstOf = (value: MatStruct[string] | undefined): number | undefined =>
	typeof value === 'string' ? undefined : value?.[0];

async function filesOf(path: string): Promise<[Buffer, Buffer]> {
	let [meta, truth]: (Buffer | undefined)[] = [];
	for await (const {name, read} of tarFiles(path)) {
		if (name.endsWith(metaName)) meta = await read();
		if (name.endsWith(truthName)) truth = await read();
	}
	if (meta && truth) return [meta, truth];
	throw unusable(path, `it holds no ${meta ? truthName : metaName}`);
}

function unusable(path: string, what: string, cause?: unknown): AlexNetError {
	const advice = 'Expected ILSVRC2012_devkit_t12.tar.gz, after the archives of training and validation pictures.';
	return new AlexNetError('ALEXNET_FOLDER', `The devkit '${path}' cannot be used: ${what}. ${advice}`, {cause});
}
