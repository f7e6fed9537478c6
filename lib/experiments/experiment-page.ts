// experiment.html: what an experiment has shown, as one file that opens without a network.
import {join} from 'node:path';
import {packageVersion} from '../base/package.ts';
import {configFacts} from '../report/config-facts.ts';
import type {ExperimentLine} from '../report/experiment-data.ts';
import type {Facts} from '../report/report-data.ts';
import {experimentPageOf} from '../report/page.ts';
import {RunFolder} from '../run/run-folder.ts';
import type {Experiment, ExperimentSize} from './experiment.ts';
import {told} from './findings.ts';
import {measures, type Curve} from './measures.ts';
import type {ArmResult, ExperimentResult} from './result.ts';
import {mean} from './statistics.ts';

/** As tables head and tell what was measured, here and on the command line. */
export const header = ['', 'mean', 'spread', 'seeds', 'seed by seed', 'the paper'];

/** An arm in a table's row, as {@link header} says. */
export function rowOf(
	{title, values, mean: middle, deviation, rate, paper}: ArmResult,
	unit: ExperimentResult['unit'],
): string[] {
	const shown = (value: number | null | undefined): string => (value == null ? '–' : told(value, unit));
	return [
		...[rate === undefined ? title : `${title}, rate ${rate}`, shown(middle), shown(deviation), String(values.length)],
		...[values.map(shown).join(', '), paper ?? ''],
	];
}

/** @param folder the experiment's, with its runs */
export async function experimentPage(
	{arms, measure: measureName}: Experiment,
	result: ExperimentResult,
	size: ExperimentSize,
	folder: string,
): Promise<string> {
	const {name, shows, section, sentence, criterion, notes, measure} = result;
	const measured = measures[measureName];
	const lines: ExperimentLine[] = [];
	for (const [index, arm] of arms.entries()) {
		if (arm.runsOf !== undefined) continue;
		const seeds = result.arms[index]?.values.length ?? 0;
		const paths = Array.from({length: seeds}, (_, seed) => join(folder, arm.name, `seed-${seed + 1}`));
		const all = await Promise.all(paths.map(async (path) => measured.curves(path, size.batchSize)));
		for (const [place, {what}] of (all[0] ?? []).entries()) {
			const line = averaged(all.flatMap((each) => each[place] ?? []));
			lines.push({
				label: all[0]?.length === 1 ? arm.title : `${arm.title}, ${what}`,
				arm: index,
				isFirst: place === 0,
				...line,
			});
		}
	}
	const {html} = await experimentPageOf({
		...{name, shows, section, sentence, criterion, notes, measure},
		...{header, rows: result.arms.map((arm) => rowOf(arm, result.unit))},
		chart: {title: measured.curveTitle, scale: measured.over === 'epochs' ? 'epoch' : 'step', lines},
		facts: await factsOf(result, size, folder),
		...{version: packageVersion, madeAt: new Date().toISOString()},
	});
	return html;
}

/** What the arms have in common, and what the first run was made with. */
async function factsOf(
	{form, precision, pictures, arms: [first]}: ExperimentResult,
	{net, imageSize, epochs, divideAt, batchSize, learningRate, weightDecay}: ExperimentSize,
	folder: string,
): Promise<Facts> {
	const path = join(folder, first?.name ?? '', 'seed-1');
	// One that diverged in its first step has left none.
	const {devices, versions} = await RunFolder.read(path).then(
		({config}) => config,
		() => ({devices: [], versions: {}}),
	);
	const settings = {form, net, imageSize, epochs, divideAt, batchSize, learningRate, weightDecay, precision};
	return configFacts({pictures, settings, devices, versions}).flatMap(({facts}) => facts);
}

/** As far as all seeds go: some may have diverged on the way. */
function averaged(curves: readonly Curve[]): Pick<ExperimentLine, 'x' | 'y'> {
	const length = Math.min(...curves.map(({x}) => x.length));
	const [first] = curves;
	return {
		x: first?.x.slice(0, length) ?? [],
		y: Array.from({length}, (_, at) => mean(curves.map(({y}) => y[at] ?? NaN))),
	};
}
