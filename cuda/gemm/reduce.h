// Launchers of cuda/gemm/reduce.cu: sums in a fixed order, without atomics, so that a run repeats bit for bit.
#pragma once

#include "../runtime/context.h"
#include "epilogue.cuh"

namespace alexnet::cuda {

// sums[j] += load(i, j) for i from 0 to count - 1, one after the other: kAtOnce of them are on their way before the first is
// added, so that none waits for the one before it.
template <int kAtOnce, int kValues, class Load>
__device__ inline void addInOrder(int64_t count, float (&sums)[kValues], const Load& load) {
  for (int64_t i = 0; i < count; i += kAtOnce) {
    float terms[kAtOnce][kValues] = {};
#pragma unroll
    for (int k = 0; k < kAtOnce; ++k) {
#pragma unroll
      for (int j = 0; j < kValues; ++j) {
        if (i + k < count) terms[k][j] = load(i + k, j);
      }
    }
#pragma unroll
    for (int k = 0; k < kAtOnce; ++k) {
#pragma unroll
      for (int j = 0; j < kValues; ++j) {
        if (i + k < count) sums[j] += terms[k][j];
      }
    }
  }
}

// Adds up partials [count, elements] fp32 and applies the epilogue.
void sumPartials(const float* partials, int64_t count, int64_t elements, const Epilogue& epilogue, Context& context);

// output[k] = sum over all other dimensions of matrix[.., k]: a bias gradient. `matrix` fp32 or bf16, `output` [K] fp32.
void sumRows(const Tensor& matrix, const Tensor& output, Context& context);

}  // namespace alexnet::cuda
