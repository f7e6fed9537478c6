// Defaults that go together: the paper's, and what learns a few thousand pictures or fewer.
import type {Init} from './initial.ts';

/** A name in {@link recipes}. */
export type RecipeName = 'paper' | 'small';

/**
 * Options to spread: `AlexNet.create({labels, ...recipes.small.create})`, `model.train(pictures, recipes.small.train)`.
 * What is given after the spread overrides it.
 */
export interface Recipe {
	/** For `AlexNet.create`. */
	readonly create: {
		/** How weights and biases start; left out, as the preset's. */
		readonly init?: Init | undefined;
		/** Learning rate at first. */
		readonly learningRate: number;
		/** Pictures in a training step. */
		readonly batchSize: number;
	};
	/** For `AlexNet.train`. */
	readonly train: {
		/** Passes over the pictures. */
		readonly epochs: number;
		/** Epochs of no better validation before the learning rate is divided by 10. */
		readonly patience: number;
	};
}

/**
 * - `paper`: for ImageNet's size, what options that are left out are (section 5).
 * - `small`: below {@link fewPictures}, where a net that starts as the paper's can stay at chance for a long time. Its
 *   start learns from the first steps on. Small batches, since few pictures make few steps, and a rate to match; as a
 *   short epoch's error says little, more of them are waited for. Best share of held-out pictures within its first
 *   epochs, in bf16 on the CPU with seed 0 (`alexnet train <folder> --recipe small --precision bf16 --epochs <n>`):
 *   Fashion-MNIST, 1,200 in 10 classes, 75.0 % in 8 epochs (`paper`: 10.0 %); crops of photographs, 765 in 17 classes,
 *   38.2 % in 10; the demo's emoji, 1,058 in 9 classes of which the largest has 20.4 %, 52.5 % in 5.
 */
export const recipes: Readonly<Record<RecipeName, Recipe>> = {
	paper: {
		create: {learningRate: 0.01, batchSize: 128},
		train: {epochs: 90, patience: 5},
	},
	small: {
		create: {init: 'he', learningRate: 0.005, batchSize: 32},
		train: {epochs: 30, patience: 10},
	},
};

/** With fewer training pictures than this, nets that start as the paper's have been seen to stay at chance. */
export const fewPictures = 100_000;

/** The recipe for a number of training pictures. */
export function recipeFor(pictures: number): RecipeName {
	return pictures < fewPictures ? 'small' : 'paper';
}
