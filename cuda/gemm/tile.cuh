// A block's share of a matrix product, in fp32 arithmetic:
//   sums[row, column] += left[depth, row] * right[depth, column]        rows x columns of a tile, summed over the depth
// Shared    two buffers, each left [kDepth, kRows] and right [kDepth, kColumns] fp32: one is multiplied while the next
//           step's operands, which are on their way into registers, are put into the other. A barrier a step.
// Mapping   a thread holds 8 rows x kThreadColumns columns of sums, in runs of 4. A warp is 4 threads high and 8 wide, so
//           its 16-byte reads are of 64 or of 128 neighbouring bytes, which many lanes share.
// Layout    a step's depth is two 16-byte pieces of an operand. In the second one's depths, runs g of 4 lie at g ^ 4: where
//           pieces run along the depth, 16 lanes store the first and 16 the second, value by value, in different banks.
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
  static constexpr int kBlocks = kBlocksOfProcessor;  // registers are left for so many at a time
  static constexpr int kBufferFloats = kDepth * (kRows + kColumns);
  static constexpr size_t kSharedBytes = 2 * kBufferFloats * sizeof(float);
  static_assert(kColumns == 16 * kThreadColumns, "16 threads abreast: two warps");
};

template <class T>
using LargeTile = Tile<T, 128, 128, 8, 2>;
template <class T>
using SmallTile = Tile<T, 64, 64, 4, 4>;

// Where the first value of run `group` of depth `depth` lies in an operand `width` wide.
template <class T>
__device__ inline unsigned placeOf(unsigned depth, unsigned group, unsigned width) {
  return depth * width + 4 * (group ^ 4 * (depth / (T::kDepth / 2)));
}

// A thread's place among the threads of its block: 4 x 8 in a warp, warps two abreast.
struct Position {
  unsigned row = threadIdx.x / 64 * 4 + threadIdx.x % 32 / 8;
  unsigned column = threadIdx.x / 32 % 2 * 8 + threadIdx.x % 8;
};

template <class T>
using Sums = float[T::kThreadRows][T::kThreadColumns];

// A thread's runs of 4 values in one operand, and where they lie for the 2 depths that begin with `depth`.
template <class T, unsigned kRuns, unsigned kWidth>
struct Runs {
  const float* start[kRuns];

  // The runs are as far apart as the threads reach side by side.
  __device__ Runs(const float* operand, unsigned depth, unsigned position) {
#pragma unroll
    for (unsigned run = 0; run < kRuns; ++run) {
      start[run] = operand + placeOf<T>(depth, position + run * (kWidth / 4 / kRuns), kWidth);
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

// Adds the products of one buffer.
template <class T>
__device__ inline void accumulate(const float* left, const float* right, const Position& at, Sums<T>& sums) {
#pragma unroll 1  // with more depths in a turn, more is loaded ahead than registers are left
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

// Sums over `steps` steps of the depth. An operand fetches its next step into registers, and stores it.
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

// Ends a tile whose first element is output[firstRow, firstColumn]; the output ends before `endRow` and `endColumn`.
template <class T>
__device__ inline void finishTile(const Epilogue& epilogue, const Position& at, int64_t firstRow, int64_t endRow,
                                  int64_t firstColumn, int64_t endColumn, Sums<T>& sums) {
  constexpr unsigned kDown = T::kRows / T::kThreadRows;
  constexpr unsigned kAcross = T::kColumns / T::kThreadColumns;
#pragma unroll 1  // the epilogue's code is long: once for each row would be eight times as much
  for (unsigned i = 0; i < T::kThreadRows; ++i) {
    const int64_t row = firstRow + 4 * (at.row + i / 4 * kDown) + i % 4;
#pragma unroll
    for (unsigned run = 0; run < T::kThreadColumns / 4; ++run) {
      const float four[4] = {sums[0][4 * run], sums[0][4 * run + 1], sums[0][4 * run + 2], sums[0][4 * run + 3]};
      const int64_t column = firstColumn + 4 * (at.column + run * kAcross);
      if (row < endRow) finish(epilogue, row, column, endColumn, four);
    }
#pragma unroll  // the next row moves up: registers have no index that is not a constant
    for (int j = 0; j + 1 < T::kThreadRows; ++j) {
#pragma unroll
      for (int column = 0; column < T::kThreadColumns; ++column) sums[j][column] = sums[j + 1][column];
    }
  }
}

}  // namespace alexnet::cuda
