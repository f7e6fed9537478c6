// ReLU's derivative, for activate.cu and where it is fused.
#pragma once

namespace alexnet::cuda {

// f'(x), from f(x). NaN must stay NaN.
__device__ inline float reluSlope(float output) { return output > 0 ? 1.0F : output <= 0 ? 0.0F : output; }

}  // namespace alexnet::cuda
