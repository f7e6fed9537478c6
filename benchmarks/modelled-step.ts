// A training step of the paper's net on a GPU that is not here, block by block: modelled, for any number of pictures.
import {AlexNetError} from '../lib/base/errors.ts';
import {alexnet} from '../lib/net/alexnet.ts';
import type {Precision} from '../lib/net/options.ts';
import {blocksOf} from '../lib/scaling/blocks.ts';
import {secondsOf, type RankStep, type StepOf} from '../lib/scaling/rank-step.ts';
import {readFacts, type Facts, type OperationFacts} from './kernel-facts.ts';
import {modelOf} from './model.ts';
import {gpuToModel} from './modelled.ts';
import type {OperationTrial} from './operation.ts';
import {operationTrials} from './operation-trials.ts';

const architecture = alexnet({classes: 1000});
const blocks = blocksOf(architecture);
/** Pictures of the step whose launches are known. */
const listed = 128;

/** An operation of a step. */
interface Placed {
	readonly trial: OperationTrial;
	readonly facts: OperationFacts;
	/** The place of the block that it belongs to. */
	readonly block: number;
	/** When it is called. */
	readonly pass: 'besides' | 'forward' | 'backward' | 'both' | 'update';
}

/**
 * With LRN and max pooling by themselves, where the facts are older than the operations that do both in one pass.
 *
 * @throws ALEXNET_ARGUMENT where too little is known of the GPU, or of its kernels in this precision.
 */
export function modelledStep(gpuName: string, precision: Precision, facts: Facts = readFacts()): StepOf {
	const gpu = gpuToModel(gpuName);
	const operations = new Map(
		facts.operations
			.filter((each) => each.precision === precision && each.batchSize === listed)
			.filter(({computeCapability}) => computeCapability === gpu.computeCapability)
			.map((each) => [each.trial, each]),
	);
	const placed = place(operationTrials(architecture, listed, precision), operations);
	const stepOf = (pictures: number): RankStep => {
		const others = new Map(operationTrials(architecture, pictures, precision).map((each) => [each.name, each]));
		const [forward, backward] = [blocks.map(() => 0), blocks.map(() => 0)];
		let [besides, update] = [0, 0];
		for (const {trial, facts: own, block, pass} of placed) {
			const other = {trial: others.get(trial.name) ?? trial, share: pictures / listed};
			const seconds = (modelOf(own, facts, trial, gpu, other)?.microseconds ?? NaN) * 1e-6;
			if (pass === 'update') update += seconds;
			else if (pass === 'besides') besides += seconds;
			if (pass === 'forward' || pass === 'both') forward[block]! += seconds;
			if (pass === 'backward' || pass === 'both') backward[block]! += seconds;
		}
		return {besides, forward, backward, update};
	};
	const steps = new Map([[listed, stepOf(listed)]]);
	if (placed.length === 0 || !Number.isFinite(secondsOf(steps.get(listed)!))) {
		const message =
			`cuda/kernels.json has no counts of the instructions of all kernels of a step in ${precision} on ${gpu.name} ` +
			`(${gpu.computeCapability}): nothing can be modelled. Measure a step, and give stepMs.`;
		throw new AlexNetError('ALEXNET_ARGUMENT', message);
	}
	return (pictures) => {
		const step = steps.get(pictures) ?? stepOf(pictures);
		steps.set(pictures, step);
		return step;
	};
}

/** The operations of a step, in the order of the layers; none where something of them is not known. */
function place(trials: readonly OperationTrial[], known: ReadonlyMap<string, OperationFacts>): readonly Placed[] {
	const apart = new Set(trials.flatMap(({name, replaces = []}) => (known.has(name) ? [] : replaces)));
	const placed: Placed[] = [];
	let block = -1;
	for (const trial of trials) {
		const begun = blocks.findIndex(({name}) => trial.name.startsWith(`${name}-`));
		if (begun >= 0) block = begun;
		const isApart = trial.replaces?.some((name) => apart.has(name)) ?? false;
		if (isApart || (trial.inTraining === 0 && !apart.has(trial.name))) continue;
		const facts = known.get(trial.name);
		if (!facts) return [];
		placed.push({trial, facts, block, pass: passOf(trial)});
	}
	return placed;
}

function passOf({name, inTraining}: OperationTrial): Placed['pass'] {
	if (name === 'sgd') return 'update';
	if (name === 'augment' || name === 'softmax-loss') return 'besides';
	if (inTraining === 2) return 'both';
	return name.endsWith('-forward') ? 'forward' : 'backward';
}
