// The epilogue of a GEMM: bias, addend, activation, rounding to the output's type.
//   output[row, column] = activation(sum + bias[column] + addend[row, column])
#pragma once

#include "../../core/operations.h"
#include "../runtime/activation.cuh"
#include "../runtime/vector.cuh"

namespace alexnet::cuda {

struct Epilogue {
  const float* bias = nullptr;    // [columns], or none
  const float* addend = nullptr;  // [rows, columns], or none; may be the output's own memory
  void* output = nullptr;         // [rows, columns] of `type`
  DataType type = DataType::float32;
  Activation activation = Activation::none;
  bool fours = false;  // runs of 4 columns are whole and aligned: one store each
  int64_t columns = 0;
  int64_t splitStride = 0;  // split-K: elements between the partial sums of two splits
};

// The address of an fp32 tensor that may be none.
inline const float* floatsOf(const Tensor& tensor) { return tensor ? tensor.data<float>() : nullptr; }

// The epilogue that writes `output`. `run`: how many columns a group has; no 4 columns may belong to two groups.
inline Epilogue epilogueOf(const Tensor& output, int64_t columns, int64_t run) {
  Epilogue epilogue;
  epilogue.output = output.mutableData();
  epilogue.type = output.type;
  epilogue.columns = columns;
  epilogue.fours = run % 4 == 0 && reinterpret_cast<uintptr_t>(epilogue.output) % (4 * sizeOf(output.type)) == 0;
  return epilogue;
}

// Stores the first `count` of 4 values. `atOnce`: all 4 in one store, or none.
template <class T>
__device__ inline void storeRun(T* address, const float (&values)[4], int64_t count, bool atOnce) {
  if (atOnce && count > 0) return store4(address, values);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if (i < count) narrow(values[i], address[i]);
  }
}

// Ends the sums of columns `column` to `column + 3` of a row, of which those before `end` exist.
__device__ inline void finish(const Epilogue& epilogue, int64_t row, int64_t column, int64_t end,
                              const float (&sums)[4]) {
  const int64_t first = row * epilogue.columns + column;
  float values[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const bool exists = column + i < end;
    float sum = sums[i];
    if (exists && epilogue.bias != nullptr) sum += epilogue.bias[column + i];
    if (exists && epilogue.addend != nullptr) sum += epilogue.addend[first + i];
    values[i] = activated(sum, epilogue.activation);
  }
  if (epilogue.type == DataType::float32) {
    storeRun(static_cast<float*>(epilogue.output) + first, values, end - column, epilogue.fours);
  } else {
    storeRun(static_cast<__nv_bfloat16*>(epilogue.output) + first, values, end - column, epilogue.fours);
  }
}

}  // namespace alexnet::cuda
