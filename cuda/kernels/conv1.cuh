// What the kernels of the first convolution share: how the input's rows come into shared memory.
//   input [N, H, W, 3] fp32 or bf16, windows of 11 x 11, 4 pixels apart
// A window's row is 33 contiguous values j = 3 s + c of the input, and the next window's begins 12 values further on. So
// a row of the input is copied to shared memory once and read at 12 q + j; windows are never written out.
#pragma once

#include "../gemm/gemm.cuh"
#include "../gemm/geometry.cuh"
#include "../runtime/vector.cuh"
#include "conv1.h"

namespace alexnet::cuda::conv1 {

constexpr int kWindow = 11;
constexpr int kRowValues = 3 * kWindow;                           // of a window's row
constexpr int kStep = 12;                                         // values from one window to the next
constexpr int kPixels = 56;                                       // of a block, in an output row (AlexNet's has 55)
constexpr int kKernels = 48;                                      // of a block: a column's
constexpr int kSegment = kStep * (kPixels - 1) + kRowValues + 3;  // of an input's row; whole 16-byte pieces

// A 16-byte piece as fp32 into shared memory; zeros where `exists` is false.
template <class T>
__device__ inline void stagePiece(const T* source, bool exists, float* destination) {
  constexpr int kValues = 16 / sizeof(T);
  float values[kValues] = {};
  if constexpr (kValues == 4) {
    if (exists) load4(source, values);
  } else {
    if (exists) load8(source, values);
  }
#pragma unroll
  for (int i = 0; i < kValues; i += 4) {
    const float four[4] = {values[i], values[i + 1], values[i + 2], values[i + 3]};
    store4(destination + i, four);
  }
}

// A warp copies a picture's row [W, 3] to shared memory, from value `first` on; zeros outside of it. `pieces`: 16-byte
// pieces are aligned, and lie wholly inside the row or wholly outside.
template <class T>
__device__ inline void stageRow(const T* input, const ConvGeometry& geometry, int image, int y, int first, bool pieces,
                                float* segment) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int end = y >= 0 && y < geometry.height ? geometry.rowElements : 0;
  const T* const row = input + (static_cast<int64_t>(image) * geometry.height + y) * geometry.rowElements;
  if (pieces) {
    constexpr int kValues = 16 / sizeof(T);
    for (int i = lane * kValues; i < kSegment; i += 32 * kValues) {
      stagePiece(row + first + i, first + i >= 0 && first + i < end, segment + i);
    }
  } else {
    for (int i = lane; i < kSegment; i += 32) {
      segment[i] = first + i >= 0 && first + i < end ? widen(row[first + i]) : 0.0F;
    }
  }
}

// Whether the input's rows can be staged in 16-byte pieces. Blocks begin at a multiple of 56 windows, 672 values.
inline bool rowsAllowVectorLoads(const Tensor& input, const ConvGeometry& geometry) {
  return allowsVectorLoads(input, geometry.rowElements) &&
         allowsVectorLoads(input, 3 * static_cast<int64_t>(geometry.padLeft));
}

}  // namespace alexnet::cuda::conv1
