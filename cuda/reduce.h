// Launchers of cuda/reduce.cu: sums in a fixed order, the second pass of what many blocks have summed in parts.
#pragma once

#include "context.h"
#include "epilogue.cuh"

namespace alexnet::cuda {

// Ends `elements` sums, each of `count` parts [count, elements] fp32, added up from the first to the last.
void sumParts(const float* parts, int64_t count, int64_t elements, const Epilogue& epilogue, Context& context);

// output[column] = sum of matrix [rows, columns] over its rows: a bias gradient. `matrix` is fp32 or bf16.
void sumRows(const Tensor& matrix, int64_t columns, const Tensor& output, Context& context);

}  // namespace alexnet::cuda
