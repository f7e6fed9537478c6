// The activations and their derivatives, as kernels apply them by themselves and where they are fused.          paper 3.1
#pragma once

#include "../../core/operations.h"

namespace alexnet::cuda {

__device__ inline float activated(float x, Activation activation) {
  if (activation == Activation::none) return x;
  // NaN must stay NaN; fmaxf(x, 0) would return 0.
  if (activation == Activation::relu) return x < 0.0F ? 0.0F : x;
  // sigmoid(x) = 1/2 + tanh(x/2) / 2: every epilogue holds tanhf, and once is enough. The error is that of a number near 1
  // also where the result is tiny.
  const bool sigmoid = activation == Activation::sigmoid;
  const float y = tanhf(sigmoid ? 0.5F * x : x);
  return sigmoid ? 0.5F + 0.5F * y : y;
}

// f'(x) of ReLU, from f(x). NaN must stay NaN.
__device__ inline float reluSlope(float output) { return output > 0 ? 1.0F : output <= 0 ? 0.0F : output; }

// f'(x), from f(x).
__device__ inline float slope(float output, Activation activation) {
  if (activation == Activation::none) return 1.0F;
  if (activation == Activation::relu) return reluSlope(output);
  return activation == Activation::tanh ? 1.0F - output * output : output * (1.0F - output);
}

}  // namespace alexnet::cuda
