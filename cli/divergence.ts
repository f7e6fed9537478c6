import type {AlexNet, TrainReport} from '../lib/index.ts';
import {learningRateOf} from './format.ts';
import type {Output} from './output.ts';

/** Says, the first time that a report tells of it, that training has diverged. */
export class DivergenceNote {
	readonly #output: Output;
	readonly #model: Pick<AlexNet, 'classes'>;
	#told = false;

	constructor(output: Output, model: Pick<AlexNet, 'classes'>) {
		this.#output = output;
		this.#model = model;
	}

	tell(report: TrainReport): void {
		if (!report.diverged || this.#told) return;
		this.#told = true;
		const {step, learningRate} = report;
		const loss = Math.max(report.loss, report.type === 'epoch' ? (report.validation?.loss ?? 0) : 0);
		const chance = Math.log(this.#model.classes).toFixed(3);
		this.#output.note(
			`warning: the loss is ${loss.toFixed(3)} at step ${step}, though a net that knows nothing has ${chance}. ` +
				`The training diverges: try a lower learning rate than ${learningRateOf(learningRate)}, or another init. Such an epoch is ` +
				'not kept as the best.',
		);
	}
}
