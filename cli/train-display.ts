import type {AlexNet, EpochReport, StepReport, TrainReport} from '../lib/index.ts';
import {accuracy, duration, learningRateOf, rate} from './format.ts';
import type {Output} from './output.ts';

/** Weight of what was before in the shown loss and speed, which jump from step to step. */
const memory = 0.9;

/** Shows a training run's reports: progress for steps, a line for epochs. */
export class TrainDisplay {
	readonly #output: Output;
	readonly #epochs: number;
	readonly #showsTop5: boolean;
	#steps = 0;
	#loss = NaN;
	#secondsPerImage = NaN;
	#first: {ended: number; done: number} | undefined;

	constructor(output: Output, model: AlexNet, epochs: number) {
		this.#output = output;
		this.#epochs = epochs;
		this.#showsTop5 = model.classes > 5;
	}

	phase(phase: 'statistics' | 'validation', done: number, total: number): void {
		this.#output.progress(phase === 'statistics' ? 'mean image and colours' : 'held-out pictures', done, total);
	}

	report(report: TrainReport): void {
		this.#output.json(report);
		if (report.type === 'step') this.#step(report);
		else this.#output.result(this.#epochLine(report));
	}

	#step(report: StepReport): void {
		const {epoch, stepOfEpoch, stepsPerEpoch} = report;
		this.#loss = smooth(this.#loss, report.loss);
		const left = this.#secondsLeft(report);
		const secondsPerImage = 1 / report.imagesPerSecond;
		// The first step also sets things up: it is no measure of those that follow.
		this.#secondsPerImage = this.#steps === 1 ? secondsPerImage : smooth(this.#secondsPerImage, secondsPerImage);
		++this.#steps;
		this.#output.progress(
			`epoch ${epoch}/${this.#epochs}`,
			stepOfEpoch,
			stepsPerEpoch,
			`loss ${this.#loss.toFixed(3)}  ${rate(1 / this.#secondsPerImage)} images/s` +
				(Number.isFinite(left) ? `  ${duration(left)} left` : ''),
		);
	}

	/** By the clock, so that validation and saving count; the first step, which sets things up, does not. */
	#secondsLeft({epoch, stepOfEpoch, stepsPerEpoch}: StepReport): number {
		const now = performance.now();
		const done = (epoch - 1) * stepsPerEpoch + stepOfEpoch;
		this.#first ??= {ended: now, done};
		const secondsPerStep = (now - this.#first.ended) / 1000 / (done - this.#first.done);
		return (this.#epochs * stepsPerEpoch - done) * secondsPerStep;
	}

	#epochLine({epoch, loss, top1, top5, validation, imagesPerSecond, learningRate, best}: EpochReport): string {
		const shown = {top5: this.#showsTop5};
		return [
			`epoch ${epoch}/${this.#epochs}: loss ${loss.toFixed(3)}, ${accuracy({top1, top5}, shown)}`,
			...(validation ? [`held out: loss ${validation.loss.toFixed(3)}, ${accuracy(validation, shown)}`] : []),
			...(imagesPerSecond > 0 ? [`${rate(imagesPerSecond)} images/s`] : []),
			`rate ${learningRateOf(learningRate)}${best ? ' | best so far' : ''}`,
		].join(' | ');
	}
}

function smooth(before: number, now: number): number {
	return Number.isNaN(before) ? now : memory * before + (1 - memory) * now;
}
