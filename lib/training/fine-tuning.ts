import {distinctNames, number, option, options} from '../base/check.ts';
import {classCount} from '../net/alexnet.ts';
import {settingChecks, type ModelOptions} from '../net/options.ts';

/** What `AlexNet.from` takes besides the checkpoint: the new classes, where and how it computes, and how it learns. */
export interface FineTuneOptions extends Omit<ModelOptions, 'architecture' | 'labels'> {
	/** A name for each class. */
	labels?: readonly string[] | undefined;
	/** The number of classes, where they have no names. */
	classes?: number | undefined;
	/** Learning rate at first; a tenth of the paper's, as most weights have learned already. Default 0.001. */
	learningRate?: number | undefined;
	/** What multiplies the learning rate in the last layer, which is new. Default 10. */
	lastLayerLearningRateScale?: number | undefined;
}

export const fineTuneOptions = options<FineTuneOptions>()({
	...settingChecks,
	labels: option(distinctNames(2), 'a name for each class'),
	classes: option(classCount, 'the number of classes, where they have no names'),
	learningRate: option(number(0), 'learning rate at first', 0.001),
	lastLayerLearningRateScale: option(number(0), 'what multiplies the learning rate in the last layer', 10),
});
