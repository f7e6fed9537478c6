import {join} from 'node:path';
import {callback, checked, filePath, instanceOf, integer, oneOf, option, options, type Checked} from '../base/check.ts';
import {isAlexNetError} from '../base/errors.ts';
import {packageVersion} from '../base/package.ts';
import {runOptions, type RunOptions} from '../net/options.ts';
import {ExperimentFolder, type EndedRun} from './experiment-file.ts';
import {experiments} from './experiments.ts';
import type {Arm, Experiment, ExperimentForm, ExperimentName, ExperimentSize} from './experiment.ts';
import type {Unit} from './findings.ts';
import {measures} from './measures.ts';
import {openPictures, picturesOf, type ExperimentPictures} from './pictures.ts';
import {plannedRuns, type PlannedRun} from './plan.ts';
import {Pace, type ExperimentProgress} from './progress.ts';
import {resultOf, type ExperimentResult, type ArmRates} from './result.ts';
import {trainArm} from './train-arm.ts';
import {experimentPage} from './experiment-page.ts';

/** What {@link runExperiment} takes besides the name. */
export interface ExperimentOptions extends Pick<RunOptions, 'devices' | 'precision' | 'threads'> {
	/** The pictures: a folder as `ImageFolder.open` takes it. Default: those of `examplePictures` that it is meant for. */
	folder?: string | undefined;
	/** Folder of the experiment. Default: `experiment-` and its name. */
	out?: string | undefined;
	/** Runs of each arm. Default: 3, of the full form 5. */
	seeds?: number | undefined;
	/** Minutes on two cores, or the paper's net: 'quick' or 'full'. Default 'quick'. */
	form?: ExperimentForm | undefined;
	/** Rejects with the signal's reason after the current step. */
	signal?: AbortSignal | undefined;
	/** Called as an experiment goes on. */
	onProgress?: ((progress: ExperimentProgress) => void) | undefined;
	/** Called with what was measured of each run, of those that had ended before, too. */
	onRun?: ((run: ExperimentRun) => void) | undefined;
}

/** A run of an experiment that has ended. */
export interface ExperimentRun {
	/** Its folder in the experiment's: 'relu/seed-1', or 'relu/rate-0.01' of a search. */
	readonly path: string;
	/** As tables name the arm. */
	readonly arm: string;
	/** The run's seed, from 1; 0 of a search for the best learning rate. */
	readonly seed: number;
	/** What was measured; null where there is no number. */
	readonly value: number | null;
	/** Shares from 0 to 1, or steps. */
	readonly unit: Unit;
}

export const experimentOptions = options<ExperimentOptions>()({
	folder: option(filePath, 'the pictures'),
	out: option(filePath, 'folder of the experiment'),
	seeds: option(integer(1), 'runs of each arm'),
	form: option(oneOf(['quick', 'full']), "minutes on two cores, or the paper's net", 'quick'),
	devices: runOptions.checks.devices,
	precision: runOptions.checks.precision,
	threads: runOptions.checks.threads,
	signal: instanceOf(AbortSignal),
	onProgress: callback(),
	onRun: callback(),
});

const experimentName = oneOf(Object.keys(experiments) as ExperimentName[]);

/**
 * Puts one of the paper's claims to the test: trains nets that differ in one thing, with the same seeds on the same
 * pictures, measures them, and says what the numbers say.
 *
 * ```ts
 * const {sentence, arms} = await runExperiment('lrn', {folder: 'pictures', out: 'lrn'});
 * ```
 *
 * The folder has a run folder for each run, `experiment.json` and `experiment.html`. Called again with the same options it
 * goes on where it stopped, bit for bit; `seeds` may change.
 *
 * @throws ALEXNET_ARGUMENT for an unknown name or options that cannot be; ALEXNET_RUN where the folder holds another
 * experiment, is in use or cannot be written; ALEXNET_FOLDER for pictures that cannot be had; the signal's reason.
 */
export async function runExperiment(name: ExperimentName, given: ExperimentOptions = {}): Promise<ExperimentResult> {
	const experiment = experiments[checked('name', experimentName, name)];
	return new Runner(experiment, checked('runExperiment', experimentOptions, given)).run();
}

/** An experiment that may be none of those that there are: for tests. */
export async function runOwnExperiment(experiment: Experiment, given: ExperimentOptions): Promise<ExperimentResult> {
	return new Runner(experiment, checked('runExperiment', experimentOptions, given)).run();
}

class Runner {
	readonly #experiment: Experiment;
	readonly #options: Checked<typeof experimentOptions>;
	readonly #size: ExperimentSize;
	readonly #seeds: number;

	constructor(experiment: Experiment, options: Checked<typeof experimentOptions>) {
		this.#experiment = experiment;
		this.#options = options;
		this.#size = experiment[options.form];
		this.#seeds = options.seeds ?? this.#size.seeds;
	}

	async run(): Promise<ExperimentResult> {
		const {name} = this.#experiment;
		const {signal, onProgress, onRun, form, out = `experiment-${name}`} = this.#options;
		const plan = plannedRuns(this.#experiment, this.#size, this.#seeds);
		const fetching = (done: number, total: number): void =>
			onProgress?.({run: 0, runs: plan.length, path: '', phase: 'pictures', done, total});
		const path = this.#options.folder ?? (await picturesOf(this.#experiment, form, {signal, onProgress: fetching}));
		const pictures = await openPictures(path, this.#size);
		const folder = await this.#open(out, path, pictures);
		const {epochs, batchSize} = this.#size;
		const steps = epochs * Math.floor(pictures.train.size / batchSize);
		const missing = plan.filter((planned) => !folder.ended(planned.path)).length;
		const pace = new Pace({runs: plan.length, missing, steps}, onProgress);
		const during = (done: number, total: number): void => pace.phase('statistics', done, total);
		for (const planned of plan) {
			const {arm, seed} = planned;
			pace.begin(planned);
			let ended = folder.ended(planned.path);
			if (!ended) {
				const rate = planned.rate ?? this.#rates(folder, arm)?.best ?? this.#size.learningRate;
				// Once: the pictures keep them.
				const statistics = await pictures.train.statistics({signal, onProgress: during});
				const common = {experiment: this.#experiment, size: this.#size, pictures, statistics, run: this.#runOptions};
				ended = await this.#train({...common, ...planned, rate, path: join(out, planned.path)}, planned, pace);
				await folder.add(ended);
				pace.end();
			}
			const {unit} = measures[this.#experiment.measure];
			onRun?.({path: planned.path, arm: arm.title, seed, value: ended.values[arm.name] ?? null, unit});
		}
		return this.#conclude(folder, pictures);
	}

	get #runOptions(): Pick<RunOptions, 'devices' | 'precision' | 'threads'> {
		const {devices, precision, threads} = this.#options;
		return {devices, precision, threads};
	}

	async #open(out: string, from: string, {train, validation, digest}: ExperimentPictures): Promise<ExperimentFolder> {
		const {name, measure, arms} = this.#experiment;
		const {form, precision} = this.#options;
		// What decides the numbers, and no words about them.
		const size = {...this.#size, seeds: undefined};
		const own = arms.map((arm) => ({...arm, title: undefined, paper: undefined}));
		const identity = {name, form, measure, arms: own, size, precision, pictures: digest};
		const held = {folder: from, train: train.size, validation: validation.size};
		const about = {'alexnet-cuda': packageVersion, startedAt: new Date().toISOString(), pictures: held};
		return ExperimentFolder.open(out, identity, about);
	}

	async #train(armRun: Parameters<typeof trainArm>[0], planned: PlannedRun, pace: Pace): Promise<EndedRun> {
		const {signal} = this.#options;
		const {batchSize} = this.#size;
		const measured = this.#experiment.arms.filter(({name, runsOf}) => (runsOf ?? name) === planned.arm.name);
		const {seed} = planned;
		const {train, validation} = armRun.pictures;
		const watch = {
			signal,
			onProgress: pace.phase.bind(pace),
			onReport: pace.report.bind(pace),
		};
		try {
			return await trainArm(armRun, watch, async (model, epochs) => {
				pace.phase('measuring', 0, 1);
				const run = {path: armRun.path, epochs, batchSize, seed, train, validation, model, signal};
				const values: Record<string, number | null> = {};
				for (const arm of measured) values[arm.name] = (await this.#measureOf(arm).of(run)) ?? null;
				const last = epochs.at(-1);
				return {path: planned.path, values, trainingError: last ? 1 - last.top1 : null};
			});
		} catch (error) {
			// Weights that have run away are a result, too.
			if (!isAlexNetError(error, 'ALEXNET_LOSS')) throw error;
			return {
				path: planned.path,
				values: Object.fromEntries(measured.map(({name}) => [name, null])),
				trainingError: null,
			};
		}
	}

	#measureOf(arm: Arm): (typeof measures)[keyof typeof measures] {
		return measures[arm.measure ?? this.#experiment.measure];
	}

	/** What the search has found for an arm: fewest first, and where none has a number, by the training error. */
	#rates(folder: ExperimentFolder, arm: Arm): ArmRates | undefined {
		const plan = plannedRuns({arms: [arm]}, this.#size, 0);
		const tried = plan.map(({path, rate = NaN}) => {
			const {values, trainingError = null} = folder.ended(path) ?? {};
			return {rate, value: values?.[arm.name] ?? null, trainingError};
		});
		const order = tried.toSorted(
			(one, two) => compareNumbers(one.value, two.value) || compareNumbers(one.trainingError, two.trainingError),
		);
		const [first] = order;
		return first && {best: first.rate, tried};
	}

	async #conclude(folder: ExperimentFolder, pictures: ExperimentPictures): Promise<ExperimentResult> {
		const {arms} = this.#experiment;
		const valuesOf = (arm: Arm): (number | null)[] =>
			plannedRuns(
				{arms: [{...arm, name: arm.runsOf ?? arm.name, runsOf: undefined}]},
				{...this.#size, rates: []},
				this.#seeds,
			).map(({path}) => folder.ended(path)?.values[arm.name] ?? null);
		const measured = arms.map((arm) => ({arm, values: valuesOf(arm), rates: this.#rates(folder, arm)}));
		const {form, precision} = this.#options;
		const result = resultOf(this.#experiment, measured, {
			form,
			precision,
			size: this.#size,
			pictures,
			path: folder.path,
		});
		await folder.write({result});
		const html = await experimentPage(this.#experiment, result, this.#size, folder.path);
		await folder.replace('experiment.html', html);
		return result;
	}
}

/** No number is larger than any. */
function compareNumbers(one: number | null, two: number | null): number {
	const [first, second] = [one ?? Infinity, two ?? Infinity];
	return first === second ? 0 : first - second;
}
