// What becomes of the sums of a multiplication: bias, addend, activation, rounding to the output's type.
//   output[row, column] = activation(sum + bias[column] + addend[row, column])
#pragma once

#include "../core/operations.h"
#include "vector.cuh"

namespace alexnet::cuda {

struct Epilogue {
  const float* bias = nullptr;    // [columns], or none
  const float* addend = nullptr;  // [rows, columns], or none; may be the output's own memory
  void* output = nullptr;         // [rows, columns] of `type`
  DataType type = DataType::float32;
  Activation activation = Activation::none;
  bool fours = false;    // runs of 4 columns are whole and aligned, and move at once
  int64_t columns = 0;
  int64_t partSize = 0;  // elements between the outputs of two parts, where the depth is divided (cuda/division.h)
};

// The epilogue that writes `output`. `run`: how many columns belong together; a run of 4 is never of two.
inline Epilogue epilogueOf(const Tensor& output, int64_t columns, int64_t run) {
  Epilogue epilogue;
  epilogue.output = output.mutableData();
  epilogue.type = output.type;
  epilogue.columns = columns;
  epilogue.fours = run % 4 == 0 && reinterpret_cast<uintptr_t>(epilogue.output) % (4 * sizeOf(output.type)) == 0;
  return epilogue;
}

inline void addBias(Epilogue& epilogue, const Tensor& bias) {
  if (bias) epilogue.bias = bias.data<float>();
}

inline void addAddend(Epilogue& epilogue, const Tensor& addend) {
  if (!addend) return;
  epilogue.addend = addend.data<float>();
  epilogue.fours = epilogue.fours && reinterpret_cast<uintptr_t>(epilogue.addend) % 16 == 0;
}

// A number that is not one stays so: max(x, 0) would make it 0.
__device__ inline float activated(float x, Activation activation) {
  if (activation == Activation::relu) return x < 0.0F ? 0.0F : x;
  if (activation == Activation::tanh) return tanhf(x);
  return x;
}

// Ends the sums of columns `column` to `column + 3` of a row, of which those before `end` exist.
__device__ inline void finish(const Epilogue& epilogue, int64_t row, int64_t column, int64_t end,
                              const float (&sums)[4]) {
  if (column >= end) return;
  const int64_t first = row * epilogue.columns + column;
  float values[4], addends[4] = {};
  if (epilogue.addend != nullptr && epilogue.fours) load4(epilogue.addend + first, addends);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const bool exists = column + i < end;
    if (epilogue.addend != nullptr && !epilogue.fours && exists) addends[i] = epilogue.addend[first + i];
    const float bias = epilogue.bias != nullptr && exists ? epilogue.bias[column + i] : 0.0F;
    values[i] = activated(sums[i] + bias + addends[i], epilogue.activation);
  }
  if (epilogue.fours && epilogue.type == DataType::float32) {
    store4(static_cast<float*>(epilogue.output) + first, values);
  } else if (epilogue.fours) {
    store4(static_cast<__nv_bfloat16*>(epilogue.output) + first, values);
  } else {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (column + i >= end) continue;
      if (epilogue.type == DataType::float32) static_cast<float*>(epilogue.output)[first + i] = values[i];
      else static_cast<__nv_bfloat16*>(epilogue.output)[first + i] = __float2bfloat16_rn(values[i]);
    }
  }
}

}  // namespace alexnet::cuda
