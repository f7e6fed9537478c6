import type {Experiment, ExperimentSize} from './experiment.ts';
import type {ExperimentResult} from './result.ts';
export async function experimentPage(experiment: Experiment, result: ExperimentResult, size: ExperimentSize, path: string): Promise<string> {
	return Promise.resolve(JSON.stringify([experiment, result, size, path]));
}
