// A block's tile of a GEMM, in fp32 arithmetic:
//   sums[row, column] += left[depth, row] * right[depth, column]        rows x columns of a tile, summed over the depth
// Shared    double buffering: two buffers, each left [kDepth, kRows] and right [kDepth, kColumns] fp32. While one is
//           multiplied, the next K step is loaded into registers, then stored into the other. One barrier a step.
// Mapping   a thread holds 8 rows x kThreadColumns columns of sums, in runs of 4. A warp is 4 threads high and 8 wide: its
//           16-byte reads cover 64 (rows) or 128 (columns) contiguous bytes, broadcast to the lanes that share them.
// Layout    XOR swizzle: the upper half of a K step stores 4-float group g at g ^ 4. Where pieces run along K, even lanes
//           store the lower half and odd lanes the upper, value by value: they hit different banks.
#pragma once

#include <cstdint>

#include "../runtime/vector.cuh"
#include "epilogue.cuh"
#include "split_k.h"

namespace alexnet::cuda {

// T is the operands' type.
template <class T, int kRowsOfTile, int kColumnsOfTile, int kColumnsOfThread, int kBlocksOfProcessor>
struct Tile {
  using Type = T;
  static constexpr int kRows = kRowsOfTile;
  static constexpr int kColumns = kColumnsOfTile;
  static constexpr int kDepth = stepDepth(sizeof(T));
  static constexpr int kThreadRows = 8;
  static constexpr int kThreadColumns = kColumnsOfThread;
  static constexpr int kThreads = kRows * kColumns / (kThreadRows * kThreadColumns);
  static constexpr int kBlocks = kBlocksOfProcessor;  // resident on a multiprocessor: bounds the registers
  static constexpr int kBufferFloats = kDepth * (kRows + kColumns);
  static constexpr size_t kSharedBytes = 2 * kBufferFloats * sizeof(float);
  static_assert(kColumns == 16 * kThreadColumns, "16 threads side by side: two warps");
};

template <class T>
using LargeTile = Tile<T, 128, 128, 8, 2>;
template <class T>
using SmallTile = Tile<T, 64, 64, 4, 4>;

// The XOR swizzle: offset of 4-float group `group` at `depth` in an operand `width` wide.
template <class T>
__device__ inline unsigned swizzled(unsigned depth, unsigned group, unsigned width) {
  return depth * width + 4 * (group ^ 4 * (depth / (T::kDepth / 2)));
}

// A thread's place among the threads of its block: 4 x 8 in a warp, warps two side by side.
struct Position {
  unsigned row = threadIdx.x / 64 * 4 + threadIdx.x % 32 / 8;
  unsigned column = threadIdx.x / 32 % 2 * 8 + threadIdx.x % 8;
};

template <class T>
using Sums = float[T::kThreadRows][T::kThreadColumns];

// A thread's runs of 4 values in one operand, at `depth` and the depth after it.
template <class T, unsigned kRuns, unsigned kWidth>
struct Runs {
  const float* start[kRuns];

  // One run of every thread side by side, then the next run of every thread.
  __device__ Runs(const float* operand, unsigned depth, unsigned position) {
#pragma unroll
    for (unsigned run = 0; run < kRuns; ++run) {
      start[run] = operand + swizzled<T>(depth, position + run * (kWidth / 4 / kRuns), kWidth);
    }
  }

  __device__ void load(unsigned depth, float (&values)[4 * kRuns]) const {
#pragma unroll
    for (unsigned run = 0; run < kRuns; ++run) {
      float four[4];
      load4(start[run] + depth * kWidth, four);
#pragma unroll
      for (unsigned i = 0; i < 4; ++i) values[4 * run + i] = four[i];
    }
  }
};

// Adds the products of one buffer: one K step.
template <class T>
__device__ inline void accumulate(const float* left, const float* right, const Position& at, Sums<T>& sums) {
#pragma unroll 1  // unrolled further, more is loaded ahead than registers can hold
  for (unsigned depth = 0; depth < T::kDepth; depth += 2) {
    const Runs<T, T::kThreadRows / 4, T::kRows> rows(left, depth, at.row);
    const Runs<T, T::kThreadColumns / 4, T::kColumns> columns(right, depth, at.column);
#pragma unroll
    for (unsigned i = 0; i < 2; ++i) {
      float a[T::kThreadRows], b[T::kThreadColumns];
      rows.load(i, a);
      columns.load(i, b);
#pragma unroll
      for (int row = 0; row < T::kThreadRows; ++row) {
#pragma unroll
        for (int column = 0; column < T::kThreadColumns; ++column) {
          sums[row][column] = fmaf(a[row], b[column], sums[row][column]);
        }
      }
    }
  }
}

// The main loop, over `steps` K steps. An operand fetches a step into registers, and stores it into a buffer.
template <class T, class Left, class Right>
__device__ inline void multiply(Left& left, Right& right, int steps, const Position& at, Sums<T>& sums) {
  extern __shared__ float4 shared[];
  float* const buffers = reinterpret_cast<float*>(shared);
  left.fetch();
  right.fetch();
  left.store(buffers);
  right.store(buffers + T::kDepth * T::kRows);
  __syncthreads();
  for (int step = 0; step < steps; ++step) {
    const bool more = step + 1 < steps;
    if (more) {
      left.fetch();
      right.fetch();
    }
    const float* const full = buffers + step % 2 * T::kBufferFloats;
    accumulate<T>(full, full + T::kDepth * T::kRows, at, sums);
    if (!more) return;
    float* const next = buffers + (step + 1) % 2 * T::kBufferFloats;
    left.store(next);
    right.store(next + T::kDepth * T::kRows);
    __syncthreads();
  }
}

// The epilogue of a tile from output[firstRow, firstColumn] on; the output ends before `endRow` and `endColumn`.
template <class T>
__device__ inline void finishTile(const Epilogue& epilogue, const Position& at, int64_t firstRow, int64_t endRow,
                                  int64_t firstColumn, int64_t endColumn, Sums<T>& sums) {
  constexpr unsigned kDown = T::kRows / T::kThreadRows;
  constexpr unsigned kAcross = T::kColumns / T::kThreadColumns;
#pragma unroll 1  // the epilogue's code is long; unrolled it would be eight times as long
  for (unsigned i = 0; i < T::kThreadRows; ++i) {
    const int64_t row = firstRow + 4 * (at.row + i / 4 * kDown) + i % 4;
#pragma unroll
    for (unsigned run = 0; run < T::kThreadColumns / 4; ++run) {
      const float four[4] = {sums[0][4 * run], sums[0][4 * run + 1], sums[0][4 * run + 2], sums[0][4 * run + 3]};
      const int64_t column = firstColumn + 4 * (at.column + run * kAcross);
      if (row < endRow) finish(epilogue, row, column, endColumn, four);
    }
#pragma unroll  // the next row moves up: registers cannot be indexed dynamically
    for (int j = 0; j + 1 < T::kThreadRows; ++j) {
#pragma unroll
      for (int column = 0; column < T::kThreadColumns; ++column) sums[j][column] = sums[j + 1][column];
    }
  }
}

}  // namespace alexnet::cuda
