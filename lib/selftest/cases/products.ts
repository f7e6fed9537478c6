// What the cases of convolutions and of linear layers share.
import type {Activation} from '../../device/operations.ts';
import type {Tensor} from '../../device/tensor.ts';
import type {RealType} from '../bfloat16.ts';
import {close, type Output} from '../operation-case.ts';
import type {Sums} from '../tolerance.ts';

/** What a forward pass does besides. */
export interface Fused {
	readonly activation?: Activation;
	readonly hasBias?: boolean;
	readonly hasAddend?: boolean;
	/** NaN and infinities are among the inputs. */
	readonly notFinite?: boolean;
	/** Of the forward pass; the type of the input, where not said. */
	readonly outputType?: RealType;
}

/** @param expected as `definedBy` gives them */
export function gradientOutputs(
	expected: readonly {readonly weightGradient: Sums; readonly biasGradient: Sums}[],
	{weightGradient, biasGradient}: {readonly weightGradient: Tensor; readonly biasGradient: Tensor | undefined},
): Output[] {
	const of = (name: 'weightGradient' | 'biasGradient', tensor: Tensor): Output =>
		close(
			name,
			tensor,
			expected.map((each) => each[name]),
			'float32',
		);
	return [of('weightGradient', weightGradient), ...(biasGradient ? [of('biasGradient', biasGradient)] : [])];
}
