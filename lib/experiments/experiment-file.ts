// experiment.json: what an experiment is, and the numbers of the runs that have ended.
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import {checked, either, fields, finite, listOf, must, recordOf, text, unknown} from '../base/check.ts';
import {AlexNetError} from '../base/errors.ts';
import {codeOf, makeFolder, reasonOf, removeTemporaries, replaceFile} from '../base/files.ts';
import {parseShallow} from '../base/json.ts';

const fileName = 'experiment.json';

/** What must be the same for an experiment to be gone on with, as plain data. */
export type Identity = Readonly<Record<string, unknown>>;

/** A run that has ended. */
export interface EndedRun {
	/** Its folder in the experiment's. */
	readonly path: string;
	/** By the names of the arms that it measures; null where there is no number. */
	readonly values: Readonly<Record<string, number | null>>;
	/** Of its last epoch; null where it has diverged. */
	readonly trainingError: number | null;
}

interface ExperimentFile {
	readonly identity: Identity;
	readonly runs: readonly EndedRun[];
	/** What else is told: versions, times, and the result when there is one. */
	readonly about: Readonly<Record<string, unknown>>;
}

const numberOrNull = either(
	finite,
	must<null>('null', (value) => value === null),
	'a number or null',
);
const fileCheck = fields<ExperimentFile>({
	identity: recordOf(unknown),
	runs: listOf(fields<EndedRun>({path: text, values: recordOf(numberOrNull), trainingError: numberOrNull})),
	about: recordOf(unknown),
});

/** An experiment's folder: its file, which is whole at any moment, and a run folder for each run. */
export class ExperimentFolder {
	readonly path: string;
	readonly #identity: Identity;
	readonly #runs: Map<string, EndedRun>;
	readonly #about: Readonly<Record<string, unknown>>;

	private constructor(path: string, {identity, runs, about}: ExperimentFile) {
		this.path = path;
		this.#identity = identity;
		this.#runs = new Map(runs.map((run) => [run.path, run]));
		this.#about = about;
	}

	/**
	 * Begins an experiment, or goes on with it.
	 *
	 * @param about kept where it is new
	 * @throws ALEXNET_RUN where the folder holds another one, or cannot be used.
	 */
	static async open(path: string, identity: Identity, about: object): Promise<ExperimentFolder> {
		const own = JSON.parse(JSON.stringify(identity)) as Identity;
		try {
			const found = await read(join(path, fileName));
			if (found) requireSame(path, found.identity, own);
			await makeFolder(path);
			await removeTemporaries(path, [fileName]);
			const folder = new ExperimentFolder(path, found ?? {identity: own, runs: [], about: {...about}});
			if (!found) await folder.write({});
			return folder;
		} catch (error) {
			throw error instanceof AlexNetError ? error : unusable(path, error);
		}
	}

	ended(path: string): EndedRun | undefined {
		return this.#runs.get(path);
	}

	async add(run: EndedRun): Promise<void> {
		this.#runs.set(run.path, run);
		await this.write({});
	}

	/** @param result kept beside what is known of the experiment */
	async write(result: object): Promise<void> {
		const runs = [...this.#runs.values()];
		const text = `${JSON.stringify({identity: this.#identity, about: this.#about, runs, ...result}, undefined, '\t')}\n`;
		await this.replace(fileName, text);
	}

	/** Puts a file into the folder, whole. */
	async replace(name: string, text: string): Promise<string> {
		const file = join(this.path, name);
		try {
			await replaceFile(file, (temporary) => writeFile(temporary, text));
		} catch (error) {
			throw unusable(this.path, error);
		}
		return file;
	}
}

async function read(file: string): Promise<ExperimentFile | undefined> {
	const text = await readFile(file, 'utf8').catch((error: unknown) => {
		if (codeOf(error) === 'ENOENT') return undefined;
		throw error;
	});
	return text === undefined ? undefined : checked(fileName, fileCheck, parseShallow(text), 'ALEXNET_RUN');
}

function requireSame(path: string, before: Identity, now: Identity): void {
	const differ = Object.keys({...before, ...now}).filter((name) => !isDeepStrictEqual(before[name], now[name]));
	if (differ.length === 0) return;
	const shown = (value: unknown): string => (typeof value === 'string' ? ` ('${value}' there, and here ` : '');
	const [first = ''] = differ;
	const which = shown(before[first]) && `${shown(before[first])}'${String(now[first])}')`;
	throw new AlexNetError(
		'ALEXNET_RUN',
		`The folder '${path}' holds another experiment: its ${differ.join(', ')} ${differ.length === 1 ? 'differs' : 'differ'}${which}. ` +
			'Choose another folder (--out), or remove it.',
	);
}

function unusable(path: string, error: unknown): AlexNetError {
	const message = `The experiment's folder '${path}' cannot be used: ${reasonOf(error)}.`;
	return new AlexNetError('ALEXNET_RUN', message, {cause: error});
}
