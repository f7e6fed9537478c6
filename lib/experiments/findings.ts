// What the numbers of an experiment say: pure functions of them, so that a reversed result gives the reversed sentence.
import {deviation, interval, mean} from './statistics.ts';

/** How a measure's values are told. */
export type Unit = 'share' | 'steps';

/** What was measured of an arm. */
export interface ArmValues {
	/** As sentences name it. */
	readonly title: string;
	/** Seed by seed; null where there is no number: the run has diverged, or did not reach what was waited for. */
	readonly values: readonly (number | null)[];
	/** What the paper says of it against the first arm. */
	readonly paper?: string | undefined;
}

/** An experiment's numbers. */
export interface Findings {
	readonly measure: {
		/** 'held-out error' */
		readonly title: string;
		readonly unit: Unit;
		/** What is said of a run without a number: 'diverged'. */
		readonly missing: string;
	};
	/** Whether the paper has the first arm lower or higher than the others. */
	readonly expected: 'lower' | 'higher';
	/** The others are compared with the first. Each has as many values as there are seeds. */
	readonly arms: readonly ArmValues[];
}

/** An arm against the first. */
export interface Comparison {
	/** Of the arm. */
	readonly title: string;
	/**
	 * Whether the difference `exceeds` the spread over the seeds or is `within` it; `unknown` with one seed, `incomplete`
	 * where a run has no number.
	 */
	readonly verdict: 'exceeds' | 'within' | 'unknown' | 'incomplete';
	/** The arm's values less those of the first arm, seed by seed: their mean. Undefined where it is incomplete. */
	readonly difference?: number | undefined;
	/** Of that mean, with 95 %, by Student's t. Undefined with one seed. */
	readonly interval?: readonly [number, number] | undefined;
	/** Whether a difference beyond the spread has the direction that the paper tells; undefined where that says nothing. */
	readonly agrees?: boolean | undefined;
}

/** How a difference is judged, in words. */
export const criterion =
	'A difference exceeds the spread where the 95 % interval of its mean over the same seeds (Student’s t of the paired differences) does not contain 0.';

const isNumber = (value: number | null): value is number => value !== null;

export function comparisons({arms: [first, ...others], expected}: Findings): Comparison[] {
	return others.map((arm) => {
		const pairs = arm.values.map((value, seed) => [value, first?.values[seed] ?? null] as const);
		const differences = pairs.flatMap(([one, two]) => (isNumber(one) && isNumber(two) ? [one - two] : []));
		if (differences.length < pairs.length || pairs.length === 0) return {title: arm.title, verdict: 'incomplete'};
		const found = {title: arm.title, difference: mean(differences), interval: interval(differences)};
		if (!found.interval) return {...found, verdict: 'unknown'};
		const [low, high] = found.interval;
		if (low <= 0 && high >= 0) return {...found, verdict: 'within'};
		const agrees = arm.paper === undefined ? undefined : found.difference > 0 === (expected === 'lower');
		return {...found, verdict: 'exceeds', agrees};
	});
}

/** "23.4 %", "210 steps" */
export function told(value: number, unit: Unit): string {
	return unit === 'share' ? `${(100 * value).toFixed(1)} %` : `${Math.round(value)} steps`;
}

/** "1.1 points", "70 steps": how far apart values are. */
export function amount(value: number, unit: Unit): string {
	return unit === 'share' ? `${(100 * Math.abs(value)).toFixed(1)} points` : `${Math.round(Math.abs(value))} steps`;
}

/** "−1.1", "70": a difference, in points of a share or in steps. */
export function signed(value: number, unit: Unit): string {
	const shown = unit === 'share' ? (100 * value).toFixed(1) : value.toFixed(0);
	return shown.replace('-', '−');
}

/** "with LRN 12.1 % ± 0.4 (3 seeds)" */
function describeArm({title, values}: ArmValues, {unit, missing}: Findings['measure']): string {
	const numbers = values.filter(isNumber);
	const seeds = `${values.length} ${values.length === 1 ? 'seed' : 'seeds'}`;
	if (numbers.length === 0) return `${title} ${missing} (${seeds})`;
	const spread = deviation(numbers);
	const shown = spread === undefined ? '' : ` ± ${unit === 'share' ? (100 * spread).toFixed(1) : Math.round(spread)}`;
	const some = numbers.length < values.length ? `; ${values.length - numbers.length} ${missing}` : '';
	return `${title} ${told(mean(numbers), unit)}${shown} (${seeds}${some})`;
}

/** What the numbers say, in one sentence. */
export function sentenceOf(findings: Findings): string {
	const {arms, measure} = findings;
	const [first] = arms;
	if (!first) return '';
	const told = comparisons(findings).map((each, index) => describe(each, findings, first, arms[index + 1] ?? first));
	const values = arms.map((arm) => describeArm(arm, measure)).join(', ');
	const title = measure.title.charAt(0).toUpperCase() + measure.title.slice(1);
	return `${title}: ${values}. ${told.join('; ')}.`.replace('. ', '; ');
}

function describe(
	{verdict, difference = 0, interval: range, agrees}: Comparison,
	findings: Findings,
	first: ArmValues,
	arm: ArmValues,
): string {
	const {measure, expected} = findings;
	const {unit} = measure;
	if (verdict === 'incomplete') return incomplete(first, arm, findings);
	const firstMean = mean(first.values.filter(isNumber));
	const ratio = unit === 'steps' && firstMean > 0 ? ` (${(1 + difference / firstMean).toFixed(1)} times as many)` : '';
	const direction =
		difference === 0 ? 'no difference' : `${amount(difference, unit)} ${difference > 0 ? 'higher' : 'lower'}`;
	const against = `${arm.title} against ${first.title}: ${direction}${ratio}`;
	if (verdict === 'unknown' || !range) return `${against}, and with one seed nothing can be said of the spread`;
	const [low, high] = range;
	const spread = `${against}, 95 % interval ${signed(low, unit)} to ${signed(high, unit)}`;
	if (verdict === 'within') {
		const verdictOnPaper = arm.paper === undefined ? '' : ', so it neither supports nor contradicts the paper';
		return `${spread}, which is within the spread over the seeds${verdictOnPaper}`;
	}
	if (agrees === undefined) return `${spread}, which exceeds the spread over the seeds; of this the paper says nothing`;
	const paper = `the paper has ${first.title} ${expected}`;
	return `${spread}, which exceeds the spread over the seeds and ${agrees ? `agrees with the paper in direction` : `is the reverse of the paper's direction (${paper})`}`;
}

/** Runs without a number make any mean of the others a choice of the lucky ones: none is told. */
function incomplete(first: ArmValues, arm: ArmValues, {measure, expected}: Findings): string {
	const without = ({values}: ArmValues): number => values.filter((value) => !isNumber(value)).length;
	const count = ({title, values}: ArmValues, missing: number): string =>
		`${title} ${measure.missing} in ${missing} of ${values.length} ${values.length === 1 ? 'seed' : 'seeds'}`;
	const [one, two] = [without(first), without(arm)];
	const counts = [...(one > 0 ? [count(first, one)] : []), ...(two > 0 ? [count(arm, two)] : [])].join(' and ');
	const isClear =
		arm.paper !== undefined &&
		expected === 'lower' &&
		(one === 0) !== (two === 0) &&
		Math.max(one, two) === arm.values.length;
	if (!isClear) return `${counts}, so that no difference can be told`;
	return `${counts}, ${one === 0 ? "which has the paper's direction" : "the reverse of the paper's direction"}, but by how much cannot be told`;
}
