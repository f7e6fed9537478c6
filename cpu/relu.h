// NaN must stay NaN; oneDNN's ReLU, max(x, 0), returns 0, and a net that computes garbage would look well.
#pragma once

#include "../core/operations.h"

namespace alexnet::cpu {

// f'(x), from f(x).
inline float reluSlope(float output) { return output > 0 ? 1.0F : output <= 0 ? 0.0F : output; }
// output = max(0, input), NaN where input is. May run in place.
void relu(const Tensor& input, const Tensor& output);
// inputGradient = outputGradient where output > 0, NaN where an operand is. May run in place.
void reluBackward(const ActivateBackward& operation);

// The same of a run of elements, in place.
template <class Real>
void reluBackward(const Real* output, Real* gradient, int64_t length);

// Whether oneDNN may apply the activation while it multiplies (Conv2d or Linear): it is no ReLU, or no sum can be NaN,
// since all factors are finite and too small for any sum of theirs to overflow. Finding that out means to read the
// operands that were written since: where the output is smaller than they are, it is quicker to apply the ReLU
// afterwards.
template <class Product>
bool fusesActivation(const Product& operation);

}  // namespace alexnet::cpu
