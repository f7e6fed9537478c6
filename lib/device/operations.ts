// The operations: what each takes. Their shapes and formulas are documented in core/operations.h.
import type {DeviceEvent, Tensor} from './tensor.ts';

/** The activations that are not linear (paper 3.1); NaN stays NaN. */
export type Nonlinearity = 'relu' | 'tanh' | 'sigmoid';

export const nonlinearities: readonly Nonlinearity[] = ['relu', 'tanh', 'sigmoid'];

/** What a layer applies to its sums. */
export type Activation = 'none' | Nonlinearity;

/** How a convolution goes over its input. */
export interface ConvOptions {
	/** Pixels from one window to the next, down and across. Default 1. */
	stride?: number;
	/** Rows and columns of zeros: top, left, bottom, right. */
	pads: readonly [number, number, number, number];
	/** Equal slices of the channels: each slice of the output sees the same slice of the input. Default 1. */
	groups?: number;
}
/** How windows of size x size go over the input; all of them lie inside. */
export interface PoolOptions {
	/** Side of a window, in pixels. */
	size: number;
	/** Pixels from one window to the next, down and across. */
	stride: number;
}
/** Local response normalization: x / (k + alpha * sum of squares)^beta (paper 3.3). */
export interface LrnOptions {
	/** Equal slices of the channels that do not see each other. Default 1. */
	columns?: number;
	/** Channels in a window, odd. */
	size: number;
	/** Multiplies the sum of squares; not divided by size (paper 3.3). */
	alpha: number;
	/** The power that the sum is raised to; 0.75 in the paper. */
	beta: number;
	/** Added to alpha times the sum of squares; 2 in the paper. */
	k: number;
}
/** What `lrn` reads and writes. */
export interface LrnArguments extends LrnOptions {
	/** [N, H, W, C], fp32 or bf16. */
	input: Tensor;
	/** Of the input's shape and type. */
	output: Tensor;
	/** For `lrnBackward`: uint8, [`lrnWorkspaceBytes`]. None in inference, or where these are 0. */
	workspace?: Tensor | undefined;
}
/** What `maxPool` reads and writes. */
export interface MaxPoolArguments extends PoolOptions {
	/** [N, H, W, C], fp32 or bf16. */
	input: Tensor;
	/** [N, P, Q, C] of the input's type, P = floor((H - size) / stride) + 1, and Q likewise of W. */
	output: Tensor;
	/** For `maxPoolBackward`: uint8, [`maxPoolWorkspaceBytes`]. None in inference. */
	workspace?: Tensor | undefined;
}
/** What `lrnMaxPool` reads and writes. */
export interface LrnMaxPoolArguments {
	/** [N, H, W, C], fp32 or bf16. */
	input: Tensor;
	/** [N, P, Q, C] of the input's type, P = floor((H - size) / stride) + 1, and Q likewise of W. */
	output: Tensor;
	/** For `lrnMaxPoolBackward`: uint8, as `maxPoolWorkspaceBytes` says for these shapes. None in inference. */
	workspace?: Tensor | undefined;
	/** What is done first. */
	lrn: LrnOptions;
	/** What is done with that. */
	pool: PoolOptions;
}
/** What an update changes, all of one shape and in fp32 but for the copy. */
export interface SgdParameter {
	/** w, updated in place. */
	weights: Tensor;
	/** v, the last update, in place of which the new one is written; zeros before the first. */
	velocity: Tensor;
	/** d(mean loss) / d(weights). */
	gradient: Tensor;
	/** bf16 copy of the new weights. */
	copy?: Tensor | undefined;
	/** Of this parameter: biases may have another. */
	learningRate: number;
	/** Times the learning rate it is the share of w that an update takes off; 0 for none. */
	weightDecay: number;
}

/** How products are multiplied. */
export interface ProductOptions {
	/**
	 * Whether tensor cores may multiply fp32 tensors, rounded to TF32, which has 10 bits of fraction. What does not suit
	 * them is multiplied in fp32. Default false. ALEXNET_DEVICE where the device has no TF32, ALEXNET_ARGUMENT for bf16.
	 */
	tf32?: boolean | undefined;
}

/** What `conv2d` and `linear` read and write. */
export interface ProductArguments extends ProductOptions {
	/** fp32 or bf16. */
	input: Tensor;
	/** Of the input's type. */
	weights: Tensor;
	/** fp32, a value for each kernel or output. */
	bias?: Tensor | undefined;
	/** fp32, of the output's shape, not the output itself: added to the sums. */
	addend?: Tensor | undefined;
	/** Of the input's type, or fp32. */
	output: Tensor;
	/** Applied to the sums. Default 'none'. */
	activation?: Activation;
}
/** What `conv2dBackwardInput` and `linearBackwardInput` read and write, all of one type. */
export interface InputGradientArguments extends ProductOptions {
	/** Of the forward pass's output, before its activation. */
	outputGradient: Tensor;
	/** As the forward pass read them. */
	weights: Tensor;
	/** Of the input's shape. */
	inputGradient: Tensor;
}
/** What `conv2dBackwardWeights` and `linearBackwardWeights` read and write. */
export interface WeightGradientArguments extends ProductOptions {
	/** As the forward pass read it. */
	input: Tensor;
	/** Of the forward pass's output, before its activation; of the input's type. */
	outputGradient: Tensor;
	/** fp32, of the weights' shape. */
	weightGradient: Tensor;
	/** fp32, of the bias's shape. */
	biasGradient?: Tensor | undefined;
}

/** The operations (core/operations.h has their shapes and formulas). All queue and return. */
export interface Operations {
	/**
	 * Crops [N, H, W, 3] of pictures [N, Y, X, 3], mirrored and coloured as `views` [N, 6] say, minus the mean image.
	 * Paper 4.1.
	 */
	augment(options: {images: Tensor; views: Tensor; mean: Tensor; output: Tensor}): void;
	/**
	 * output [N, P, Q, K] = activation(convolution of input [N, H, W, C] with weights [K, R, S, C / groups] + bias +
	 * addend).
	 */
	conv2d(options: ConvOptions & ProductArguments): void;
	/** The gradient of conv2d's input from that of its output before the activation. */
	conv2dBackwardInput(options: ConvOptions & InputGradientArguments): void;
	/** The gradients of conv2d's weights and bias, fp32, from that of its output before the activation. */
	conv2dBackwardWeights(options: ConvOptions & WeightGradientArguments): void;
	/** output [N, O] = activation(input [N, I] weights [O, I]^T + bias + addend). */
	linear(options: ProductArguments): void;
	/** The gradient of linear's input from that of its output before the activation. */
	linearBackwardInput(options: InputGradientArguments): void;
	/** The gradients of linear's weights and bias, fp32, from that of its output before the activation. */
	linearBackwardWeights(options: WeightGradientArguments): void;
	/** output = relu(input), tanh(input) or sigmoid(input). May run in place. */
	activate(options: {input: Tensor; output: Tensor; activation: Activation}): void;
	/** inputGradient = outputGradient * f'(x), f' taken from the output. May run in place. */
	activateBackward(options: {
		output: Tensor;
		outputGradient: Tensor;
		inputGradient: Tensor;
		activation: Activation;
	}): void;
	/** output = input / (k + alpha * sum of squares of the channels around)^beta. Paper 3.3. */
	lrn(options: LrnArguments): void;
	/** The gradient of lrn's input, from the workspace that the forward pass left. */
	lrnBackward(
		options: LrnOptions & {
			input: Tensor;
			outputGradient: Tensor;
			inputGradient: Tensor;
			workspace?: Tensor | undefined;
		},
	): void;
	/** The largest of each window. Paper 3.4. */
	maxPool(options: MaxPoolArguments): void;
	/**
	 * A window's gradient goes to its first maximum, which the forward pass left in the workspace. Where the input is the
	 * output of a ReLU, which `activation` says, inputGradient is that of the ReLU's own input: then `output` is the forward
	 * pass's.
	 */
	maxPoolBackward(
		options: PoolOptions & {
			outputGradient: Tensor;
			inputGradient: Tensor;
			workspace: Tensor;
			output?: Tensor | undefined;
			activation?: 'none' | 'relu';
		},
	): void;
	/** maxPool of lrn in one pass, with the bits of the two. Paper 3.3, 3.4. */
	lrnMaxPool(options: LrnMaxPoolArguments): void;
	/**
	 * The gradient of lrnMaxPool's input; where that is the output of a ReLU, which `activation` says, of the ReLU's own
	 * input. It has the bits of maxPoolBackward, lrnBackward and activateBackward.
	 */
	lrnMaxPoolBackward(options: {
		input: Tensor;
		outputGradient: Tensor;
		inputGradient: Tensor;
		workspace: Tensor;
		lrn: LrnOptions;
		pool: PoolOptions;
		activation?: 'none' | 'relu';
	}): void;
	/**
	 * output = input * mask / (1 - rate), [N, C]. The mask is a function of seed, step, layer and place, so the
	 * backward pass is the same call. Paper 4.2.
	 */
	dropout(options: {
		input: Tensor;
		output: Tensor;
		rate: number;
		seed: number | bigint;
		step: number;
		layer: number;
		features: number;
		offset?: number;
	}): void;
	/**
	 * result [3]: sum of the cross-entropies, how many labels were the best and among the five best of logits [N, K];
	 * gradient: of the mean loss.
	 */
	softmaxLoss(options: {logits: Tensor; labels: Tensor; result: Tensor; gradient?: Tensor | undefined}): void;
	/** Probabilities [N, K] of logits [N, K], fp32. */
	softmax(options: {logits: Tensor; probabilities: Tensor}): void;
	/** v <- momentum v - weightDecay rate w - rate gradient; w <- w + v, for all parameters. Paper 5. */
	sgd(options: {momentum: number; parameters: readonly SgdParameter[]}): void;
	/** The same values in another data type: fp32 from and to bf16, and fp32 from uint8 or int32. */
	cast(options: {input: Tensor; output: Tensor}): void;
	/** Within a device, or from one to another in the order of both queues. */
	copy(options: {input: Tensor; output: Tensor}): void;
	/**
	 * Begins a copy to another device, beside both queues, when what was queued before it on both has ended. Before the
	 * input is written or the output is used, its device must wait for the event.
	 */
	send(options: {input: Tensor; output: Tensor}): DeviceEvent;
	/** output = input + addend. May run in place. */
	add(options: {input: Tensor; addend: Tensor; output: Tensor}): void;
	/** The same value everywhere. */
	fill(options: {output: Tensor; value: number}): void;
	/** output's dimension i is input's dimension axes[i]; fp32, four dimensions. */
	permute(options: {
		input: Tensor;
		output: Tensor;
		axes: readonly number[];
		/** Where in a larger input the output begins. */
		inputStart?: readonly number[];
		/** Where in a larger output the input is put; the rest of the output stays. */
		outputStart?: readonly number[];
	}): void;
	/** Normal draws of the stream (seed, stream), times the deviation. */
	normal(options: {output: Tensor; seed: number | bigint; stream: number; deviation: number}): void;
	/** Bytes of the workspace that the backward pass needs; 0 where it needs none. */
	lrnWorkspaceBytes(options: LrnArguments): number;
	/** As lrnWorkspaceBytes. */
	maxPoolWorkspaceBytes(options: MaxPoolArguments): number;
}
