// Launchers of cuda/gemm/reduce.cu: sums in a fixed order, without atomics, so that a run repeats bit for bit.
#pragma once

#include "../runtime/context.h"
#include "epilogue.cuh"

namespace alexnet::cuda {

// Adds up partials [count, elements] fp32 and applies the epilogue.
void sumPartials(const float* partials, int64_t count, int64_t elements, const Epilogue& epilogue, Context& context);

// output[k] = sum over all other dimensions of matrix[.., k]: a bias gradient. `matrix` fp32 or bf16, `output` [K] fp32.
void sumRows(const Tensor& matrix, const Tensor& output, Context& context);

}  // namespace alexnet::cuda
