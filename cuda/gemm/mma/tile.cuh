// A block's tile of a GEMM on tensor cores: bf16 operands, fp32 sums.
//   sums[row, column] += left[row, depth] * right[column, depth]        rows x columns of a tile, summed over the depth
// Ring      kStages stages of shared memory, each a K step of 32 of both operands. While one is multiplied, cp.async fills
//           the others. One wait and one barrier a step; the stage that this barrier frees is filled right behind it.
// Layouts   how an operand lies in a stage, after how it lies in global memory:
//             Rows   [row][32 of the depth], 64 bytes a row. XOR swizzle: 16-byte piece p of a row lies at p ^ (row / 2 % 4),
//                    so the 8 rows that ldmatrix reads at a time hit different banks
//             Deep   [32 of the depth][row], read by ldmatrix.trans; 16 bytes of padding behind each line, to the same end
// Mapping   a warp holds kWarpRows x kWarpColumns of sums, as pieces of 16 x 8 (mma.m16n8k16).
// Epilogue  a warp lays 16 of its rows at a time into shared memory of its own, and reads them back as runs of 4 columns.
#pragma once

#include "../epilogue.cuh"
#include "instructions.cuh"
#include "tiling.h"

namespace alexnet::cuda::mma {

template <Shape kShape>
struct Tile {
  static constexpr ShapeFacts kFacts = factsOf(kShape);
  static constexpr int kRows = kFacts.rows;
  static constexpr int kColumns = kFacts.columns;
  static constexpr int kDepth = mma::kDepth;
  static constexpr int kWarpRows = kFacts.warpRows;
  static constexpr int kWarpColumns = kFacts.warpColumns;
  static constexpr int kWarpsAcross = kColumns / kWarpColumns;
  static constexpr int kWarps = kRows / kWarpRows * kWarpsAcross;
  static constexpr int kThreads = 32 * kWarps;
  static constexpr int kStages = kFacts.stages;
  static constexpr int kBlocks = kFacts.blocks;
  static constexpr int kSumPitch = kWarpColumns + 8;  // floats, in the epilogue: a store's 4 rows hit different banks
  static_assert(kWarpRows % 16 == 0 && kWarpColumns % 16 == 0, "whole pieces of 16 x 16");
};

template <class T>
using Sums = float[T::kWarpRows / 16][T::kWarpColumns / 8][4];

template <int kWidthOfOperand>
struct Rows {
  static constexpr int kWidth = kWidthOfOperand;
  static constexpr bool kTransposed = false;
  static constexpr int kPitch = kDepth * 2;
  static constexpr int kBytes = kWidth * kPitch;
  static constexpr int kSixteenRows = 16 * kPitch;  // the swizzle is the same again

  static __device__ SharedAddress place(unsigned row, unsigned piece) {
    return row * kPitch + (piece ^ row / 2 % 4) * 16;
  }
  // The line of 16 bytes that this lane names to ldmatrix: of the 16 rows x 16 of the depth that begin at `row` and
  // `depth`, in the matrix of 8 x 8 that lies `rowMatrix` down and `depthMatrix` on.
  static __device__ SharedAddress line(unsigned row, unsigned depth, unsigned rowMatrix, unsigned depthMatrix) {
    return place(row + rowMatrix * 8 + threadIdx.x % 8, depth / 8 + depthMatrix);
  }
};

template <int kWidthOfOperand>
struct Deep {
  static constexpr int kWidth = kWidthOfOperand;
  static constexpr bool kTransposed = true;
  static constexpr int kPitch = kWidth * 2 + 16;
  static constexpr int kBytes = kDepth * kPitch;
  static constexpr int kSixteenRows = 16 * 2;

  static __device__ SharedAddress place(unsigned depth, unsigned piece) { return depth * kPitch + piece * 16; }
  static __device__ SharedAddress line(unsigned row, unsigned depth, unsigned rowMatrix, unsigned depthMatrix) {
    return place(depth + depthMatrix * 8 + threadIdx.x % 8, row / 8 + rowMatrix);
  }
};

// The shared memory of a block.
template <class T, class Left, class Right>
struct Stages {
  static constexpr int kBytes = Left::kBytes + Right::kBytes;
  static constexpr int kSumBytes = T::kWarps * 16 * T::kSumPitch * 4;
  static constexpr int kSharedBytes = T::kStages * kBytes > kSumBytes ? T::kStages* kBytes : kSumBytes;
};

// Sums over the depth of the left operand's rows: its product with a column of ones, at no load.
template <class T>
struct RowSums {
  bool wanted;  // by this warp: one of those side by side
  float sums[T::kWarpRows / 16][4] = {};

  __device__ void add(const unsigned (&rows)[T::kWarpRows / 16][4]) {
    constexpr unsigned kOnes = 0x3f803f80;  // two of them, in bf16
    if (!wanted) return;
#pragma unroll
    for (int i = 0; i < T::kWarpRows / 16; ++i) multiplyAdd(rows[i], kOnes, kOnes, sums[i]);
  }

  // Stores those of the tile's rows from `firstRow` on that are before `endRow`. All columns of a piece are the same.
  __device__ void store(float* output, int64_t firstRow, int64_t endRow) const {
    const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    if (!wanted || lane % 4 != 0) return;
    firstRow += warp / T::kWarpsAcross * T::kWarpRows + lane / 4;
#pragma unroll
    for (int i = 0; i < T::kWarpRows / 16; ++i) {
      if (firstRow + 16 * i < endRow) output[firstRow + 16 * i] = sums[i][0];
      if (firstRow + 16 * i + 8 < endRow) output[firstRow + 16 * i + 8] = sums[i][2];
    }
  }
};
template <class T>
struct NoRowSums {
  __device__ void add(const unsigned (&)[T::kWarpRows / 16][4]) {}
};

// Adds the products of one stage.
template <class T, class Left, class Right, class Extra>
__device__ inline void accumulate(SharedAddress left, SharedAddress right, Sums<T>& sums, Extra& rowSums) {
  const unsigned warp = threadIdx.x / 32, quarter = threadIdx.x % 32 / 8;
  const unsigned row = warp / T::kWarpsAcross * T::kWarpRows;
  const unsigned column = warp % T::kWarpsAcross * T::kWarpColumns;
#pragma unroll
  for (unsigned depth = 0; depth < kDepth; depth += 16) {
    // mma counts the left operand's four matrices down the rows first, the right operand's along the depth first.
    const SharedAddress leftLine = left + Left::line(row, depth, quarter % 2, quarter / 2);
    const SharedAddress rightLine = right + Right::line(column, depth, quarter / 2, quarter % 2);
    unsigned rows[T::kWarpRows / 16][4], columns[T::kWarpColumns / 16][4];
#pragma unroll
    for (int i = 0; i < T::kWarpRows / 16; ++i) {
      loadMatrices<Left::kTransposed>(leftLine + i * Left::kSixteenRows, rows[i]);
    }
#pragma unroll
    for (int j = 0; j < T::kWarpColumns / 16; ++j) {
      loadMatrices<Right::kTransposed>(rightLine + j * Right::kSixteenRows, columns[j]);
    }
#pragma unroll
    for (int i = 0; i < T::kWarpRows / 16; ++i) {
#pragma unroll
      for (int j = 0; j < T::kWarpColumns / 8; ++j) {
        const unsigned(&right16)[4] = columns[j / 2];
        multiplyAdd(rows[i], right16[j % 2 * 2], right16[j % 2 * 2 + 1], sums[i][j]);
      }
    }
    rowSums.add(rows);
  }
}

// The main loop, over `steps` K steps. A loader (cuda/gemm/mma/loaders.cuh) copies a step into a stage; where it looks up
// the depth's lines in a table, it has written that of step i into slot i % 2 a barrier before.
template <class T, class Left, class Right, class Extra>
__device__ inline void multiply(Left& left, Right& right, int steps, uint4* shared, Sums<T>& sums, Extra& rowSums) {
  using LeftLayout = typename Left::Layout;
  using RightLayout = typename Right::Layout;
  constexpr int kBytes = Stages<T, LeftLayout, RightLayout>::kBytes;
  const SharedAddress ring = sharedAddress(shared);
  const SharedAddress ringEnd = ring + T::kStages * kBytes;
  const auto fill = [&](int step, SharedAddress stage) {
    if (step < steps) {
      left.copy(stage);
      right.copy(stage + LeftLayout::kBytes, step % 2);
      right.tabulate((step + 1) % 2);
    }
    commitCopies();  // in any case: groups are counted
  };
  right.tabulate(0);
#pragma unroll
  for (int step = 0; step < T::kStages - 1; ++step) {
    __syncthreads();
    fill(step, ring + step * kBytes);
  }
  SharedAddress full = ring, free = ringEnd - kBytes;
  for (int step = 0; step < steps; ++step) {
    waitForCopies<T::kStages - 2>();
    __syncthreads();
    fill(step + T::kStages - 1, free);
    accumulate<T, LeftLayout, RightLayout>(full, full + LeftLayout::kBytes, sums, rowSums);
    free = full;
    full = full + kBytes == ringEnd ? ring : full + kBytes;
  }
  __syncthreads();  // the epilogue takes the ring's memory
}

// The epilogue of a tile from output[firstRow, firstColumn] on; the output ends before `endRow` and `endColumn`.
template <class T>
__device__ inline void finishTile(const Epilogue& epilogue, int64_t firstRow, int64_t endRow, int64_t firstColumn,
                                  int64_t endColumn, uint4* shared, Sums<T>& sums) {
  constexpr unsigned kPitch = T::kSumPitch;
  constexpr unsigned kRuns = T::kWarpColumns / 4;
  const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  float* const lines = reinterpret_cast<float*>(shared) + warp * 16 * kPitch;
  firstRow += warp / T::kWarpsAcross * T::kWarpRows;
  firstColumn += warp % T::kWarpsAcross * T::kWarpColumns;
#pragma unroll 1  // the epilogue's code is long
  for (int i = 0; i < T::kWarpRows / 16; ++i) {
#pragma unroll
    for (int j = 0; j < T::kWarpColumns / 8; ++j) {
      float* const line = lines + lane / 4 * kPitch + j * 8 + lane % 4 * 2;
      *reinterpret_cast<float2*>(line) = make_float2(sums[0][j][0], sums[0][j][1]);
      *reinterpret_cast<float2*>(line + 8 * kPitch) = make_float2(sums[0][j][2], sums[0][j][3]);
    }
    __syncwarp();
#pragma unroll 1
    for (unsigned run = lane; run < 16 * kRuns; run += 32) {
      const int64_t row = firstRow + 16 * i + run / kRuns;
      float four[4];
      load4(lines + run / kRuns * kPitch + run % kRuns * 4, four);
      if (row < endRow) finish(epilogue, row, firstColumn + run % kRuns * 4, endColumn, four);
    }
    __syncwarp();
#pragma unroll  // the next rows move up: registers cannot be indexed dynamically
    for (int next = 0; next + 1 < T::kWarpRows / 16; ++next) {
#pragma unroll
      for (int j = 0; j < T::kWarpColumns / 8; ++j) {
#pragma unroll
        for (int k = 0; k < 4; ++k) sums[next][j][k] = sums[next + 1][j][k];
      }
    }
  }
}

}  // namespace alexnet::cuda::mma
