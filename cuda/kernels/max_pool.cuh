// The windows of max pooling, for max_pool.cu and lrn_max_pool.cu.
//   input [N, H, W, C], output [N, P, Q, C]
//   workspace [N, P, Q, C] uint8: the arg-max, r * size + s; of equal inputs the first
#pragma once

#include <string>

#include "../../core/operations.h"
#include "../runtime/activation.cuh"
#include "../runtime/divisor.cuh"
#include "../runtime/launch.cuh"
#include "chunks.cuh"

namespace alexnet::cuda {

constexpr int64_t kLargestIndexed = 16;  // a window's side

struct PoolGeometry {
  int height, width, outputHeight, outputWidth, channels, size, stride;
  Divisor strides;
};

// Whether a window's maximum is `value`, after the largest of the inputs before it. NaN must stay NaN: it wins.
__device__ inline bool beats(float value, float largest) { return value > largest || value != value; }

__device__ inline void storeWinners(uint8_t* destination, const int (&winners)[kChunk], int count, bool wide) {
  if (wide && count == kChunk) {
    uint2 packed = make_uint2(0, 0);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      packed.x |= static_cast<unsigned>(winners[i]) << 8 * i;
      packed.y |= static_cast<unsigned>(winners[4 + i]) << 8 * i;
    }
    *reinterpret_cast<uint2*>(destination) = packed;
    return;
  }
#pragma unroll
  for (int i = 0; i < kChunk; ++i) {
    if (i < count) destination[i] = static_cast<uint8_t>(winners[i]);
  }
}

__device__ inline uint2 loadWinners(const uint8_t* source, int count, bool wide) {
  if (wide && count == kChunk) return *reinterpret_cast<const uint2*>(source);
  uint2 packed = make_uint2(0, 0);
#pragma unroll
  for (int i = 0; i < kChunk; ++i) {
    if (i < count) (i < 4 ? packed.x : packed.y) |= static_cast<unsigned>(source[i]) << 8 * (i % 4);
  }
  return packed;
}

// Channels of an input pixel, from `channel` on.
struct Pixel {
  int n, row, column, channel;
};

// The windows that hold input row (or column) `at`, of `count` along that side: from .x up to .y.
__device__ inline int2 windowsOver(int at, int count, const PoolGeometry& geometry) {
  const auto strides = [&](int pixels) {
    return static_cast<int>(geometry.strides.quotient(static_cast<unsigned>(pixels)));
  };
  const int first = at < geometry.size ? 0 : strides(at - geometry.size) + 1;
  const int end = strides(at) + 1;
  return make_int2(first, end < count ? end : count);
}

// Calls visit(offset of the window's channels, the pixel's place in the window) for the windows that hold a pixel, row by
// row.
template <class Visit>
__device__ inline void visitWindows(const Pixel& at, const PoolGeometry& geometry, const Visit& visit) {
  const int2 rows = windowsOver(at.row, geometry.outputHeight, geometry);
  const int2 columns = windowsOver(at.column, geometry.outputWidth, geometry);
#pragma unroll 1
  for (int p = rows.x; p < rows.y; ++p) {
#pragma unroll 1
    for (int q = columns.x; q < columns.y; ++q) {
      const int64_t row = static_cast<int64_t>(at.n) * geometry.outputHeight + p;
      const int64_t offset = (row * geometry.outputWidth + q) * geometry.channels + at.channel;
      visit(offset, (at.row - p * geometry.stride) * geometry.size + at.column - q * geometry.stride);
    }
  }
}

// The gradients of a pixel's channels: the sums, in fp32 and in the order of the windows, of those that they have won.
// kMasked: times a ReLU's derivative, which the outputs of these windows tell: they are the pixel's channels.
template <bool kMasked, class T>
__device__ inline void gatherWindows(const T* outputGradient, const uint8_t* workspace, const T* output,
                                     const Pixel& at, const PoolGeometry& geometry, int count, bool wide,
                                     float (&sums)[kChunk]) {
  float maxima[kChunk];
#pragma unroll
  for (int i = 0; i < kChunk; ++i) sums[i] = 0, maxima[i] = 0;
  visitWindows(at, geometry, [&](int64_t offset, int place) {
    uint2 winners = loadWinners(workspace + offset, count, wide);
    float gradients[kChunk];
    loadChunk(outputGradient + offset, gradients, count, wide);
    float outputs[kChunk] = {};
    if constexpr (kMasked) loadChunk(output + offset, outputs, count, wide);
    winners.x ^= static_cast<unsigned>(place) * 0x01010101U;  // a byte is 0 where the pixel has won
    winners.y ^= static_cast<unsigned>(place) * 0x01010101U;
#pragma unroll
    for (int i = 0; i < kChunk; ++i) {
      const bool won = ((i < 4 ? winners.x : winners.y) & 255U << 8 * (i % 4)) == 0;
      sums[i] += won ? gradients[i] : 0.0F;
      if (kMasked && won) maxima[i] = outputs[i];
    }
  });
  if constexpr (kMasked) {
#pragma unroll
    for (int i = 0; i < kChunk; ++i) sums[i] *= reluSlope(maxima[i]);
  }
}

inline PoolGeometry geometryOf(const Tensor& input, const Tensor& output, const PoolShape& shape) {
  const auto size = [](int64_t value) { return static_cast<int>(value < INT32_MAX ? value : INT32_MAX); };
  return {size(input.dimension(1)), size(input.dimension(2)), size(output.dimension(1)), size(output.dimension(2)),
          size(input.dimension(3)), size(shape.size),         size(shape.stride),        Divisor(size(shape.stride))};
}

inline size_t indexBytes(const Tensor& output, const PoolShape& shape) {
  if (shape.size > kLargestIndexed) {
    throw Error(kArgument, "size must be at most " + std::to_string(kLargestIndexed) + " on CUDA, got " +
                               std::to_string(shape.size) + ".");
  }
  return static_cast<size_t>(output.elements());
}

inline void requireWorkspace(const Tensor& workspace, const Tensor& output, const PoolShape& shape) {
  const size_t bytes = indexBytes(output, shape);
  if (workspace.bytes() >= bytes) return;
  throw Error(kShape, "workspace must have " + std::to_string(bytes) + " bytes (maxPoolWorkspaceBytes), got " +
                          std::to_string(workspace.bytes()) + ".");
}

}  // namespace alexnet::cuda
