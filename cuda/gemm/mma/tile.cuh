// A block's tile of a GEMM on tensor cores: operands in bf16, or in fp32 that is rounded to TF32 on its way; fp32 sums.
//   sums[row, column] += left[row, depth] * right[column, depth]        rows x columns of a tile, summed over the depth
// Ring      kStages stages of shared memory, each a K step of both operands: 64 bytes of the depth, 32 values of bf16 or 16
//           of fp32. While one is multiplied, cp.async fills the others. One wait and one barrier a step; the stage that
//           this barrier frees is filled right behind it.
// Layouts   how an operand lies in a stage, after how it lies in global memory:
//             Rows   [row][64 bytes of the depth]. XOR swizzle: 16-byte piece p of a row lies at p ^ (row / 2 % 4), so the
//                    8 rows that ldmatrix reads at a time hit different banks
//             Deep   [depth][row]. bf16 is read by ldmatrix.trans, with 16 bytes of padding behind each line, to the same
//                    end; fp32, which that does not transpose, by words: a lane's line is 8 words on in the banks
// Mapping   a warp holds kWarpRows x kWarpColumns of sums, as pieces of 16 x 8 (mma.m16n8k16, of TF32 m16n8k8).
// Epilogue  a warp lays 16 of its rows at a time into shared memory of its own, and reads them back as runs of 4 columns.
#pragma once

#include "../epilogue.cuh"
#include "instructions.cuh"
#include "tiling.h"

namespace alexnet::cuda::mma {

template <Shape kShape, class ElementOfOperands>
struct Tile {
  using Element = ElementOfOperands;
  static constexpr ShapeFacts kFacts = factsOf(kShape);
  static constexpr int kRows = kFacts.rows;
  static constexpr int kColumns = kFacts.columns;
  static constexpr int kDepth = kStepOf<Element>;
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
using ElementOf = typename T::Element;
template <class T>
using Sums = float[T::kWarpRows / 16][T::kWarpColumns / 8][4];

// Which of an operand's four matrices mma takes first: the left operand's go down the rows, the right one's along the depth.
enum class First { rows, depth };

// The matrix of 8 x 8 whose lines this lane names to ldmatrix: so many down the rows, and along the depth.
template <First kFirst>
struct MatrixOfLane {
  static __device__ unsigned quarter() { return threadIdx.x % 32 / 8; }
  static __device__ unsigned down() { return kFirst == First::rows ? quarter() % 2 : quarter() / 2; }
  static __device__ unsigned along() { return kFirst == First::rows ? quarter() / 2 : quarter() % 2; }
};

// A layout has, of 16 rows x 32 bytes of the depth that begin at `row` and at multiples of 32 bytes:
//   source<kFirst>(row, multiple)   what this lane reads, from the operand's first byte on
//   load<kFirst>(source, words)     the four matrices, as mma takes them
template <class Element, int kWidthOfOperand>
struct Rows {
  static constexpr int kWidth = kWidthOfOperand;
  static constexpr int kPitch = kStepBytes;
  static constexpr int kBytes = kWidth * kPitch;
  static constexpr int kSixteenRows = 16 * kPitch;  // the swizzle is the same again

  static __device__ SharedAddress place(unsigned row, unsigned piece) {
    return row * kPitch + (piece ^ row / 2 % 4) * 16;
  }
  template <First kFirst>
  static __device__ SharedAddress source(unsigned row, unsigned multiple) {
    using Matrix = MatrixOfLane<kFirst>;
    return place(row + Matrix::down() * 8 + threadIdx.x % 8, 2 * multiple + Matrix::along());
  }
  template <First>
  static __device__ void load(SharedAddress source, unsigned (&words)[4]) {
    loadMatrices<false>(source, words);
    roundOperands(words, Element());
  }
};

template <class Element, int kWidthOfOperand>
struct Deep;

template <int kWidthOfOperand>
struct Deep<__nv_bfloat16, kWidthOfOperand> {
  static constexpr int kWidth = kWidthOfOperand;
  static constexpr int kPitch = kWidth * 2 + 16;
  static constexpr int kBytes = kStepOf<__nv_bfloat16> * kPitch;
  static constexpr int kSixteenRows = 16 * 2;

  static __device__ SharedAddress place(unsigned depth, unsigned piece) { return depth * kPitch + piece * 16; }
  template <First kFirst>
  static __device__ SharedAddress source(unsigned row, unsigned multiple) {
    using Matrix = MatrixOfLane<kFirst>;
    return place(16 * multiple + Matrix::along() * 8 + threadIdx.x % 8, row / 8 + Matrix::down());
  }
  template <First>
  static __device__ void load(SharedAddress source, unsigned (&words)[4]) {
    loadMatrices<true>(source, words);
  }
};

template <int kWidthOfOperand>
struct Deep<float, kWidthOfOperand> {
  static constexpr int kWidth = kWidthOfOperand;
  static constexpr int kPitch = (kWidth + 8) * 4;
  static constexpr int kBytes = kStepOf<float> * kPitch;
  static constexpr int kSixteenRows = 16 * 4;
  static_assert(kPitch / 4 % 16 == 8, "the 4 lines that a warp reads at a time lie 8 or 24 banks on from each other");

  static __device__ SharedAddress place(unsigned depth, unsigned piece) { return depth * kPitch + piece * 16; }
  template <First>
  static __device__ SharedAddress source(unsigned row, unsigned multiple) {
    const unsigned lane = threadIdx.x % 32;
    return (8 * multiple + lane % 4) * kPitch + (row + lane / 4) * 4;
  }
  template <First kFirst>
  static __device__ void load(SharedAddress source, unsigned (&words)[4]) {
    constexpr unsigned kRows = 8 * 4, kLines = 4 * kPitch;
    words[0] = loadWord(source);
    words[1] = loadWord(source + (kFirst == First::rows ? kRows : kLines));
    words[2] = loadWord(source + (kFirst == First::rows ? kLines : kRows));
    words[3] = loadWord(source + kRows + kLines);
    roundOperands(words, float());
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
    using Element = ElementOf<T>;
    constexpr unsigned kOnes = sizeof(Element) == 2 ? 0x3f803f80 : 0x3f800000;  // two of bf16, or one of fp32
    if (!wanted) return;
#pragma unroll
    for (int i = 0; i < T::kWarpRows / 16; ++i) multiplyAdd(rows[i], kOnes, kOnes, sums[i], Element());
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
  const unsigned warp = threadIdx.x / 32;
  const unsigned row = warp / T::kWarpsAcross * T::kWarpRows;
  const unsigned column = warp % T::kWarpsAcross * T::kWarpColumns;
#pragma unroll
  for (unsigned multiple = 0; multiple < kStepBytes / 32; ++multiple) {
    const SharedAddress leftSource = left + Left::template source<First::rows>(row, multiple);
    const SharedAddress rightSource = right + Right::template source<First::depth>(column, multiple);
    unsigned rows[T::kWarpRows / 16][4], columns[T::kWarpColumns / 16][4];
#pragma unroll
    for (int i = 0; i < T::kWarpRows / 16; ++i) {
      Left::template load<First::rows>(leftSource + i * Left::kSixteenRows, rows[i]);
    }
#pragma unroll
    for (int j = 0; j < T::kWarpColumns / 16; ++j) {
      Right::template load<First::depth>(rightSource + j * Right::kSixteenRows, columns[j]);
    }
#pragma unroll
    for (int i = 0; i < T::kWarpRows / 16; ++i) {
#pragma unroll
      for (int j = 0; j < T::kWarpColumns / 8; ++j) {
        const unsigned(&right16)[4] = columns[j / 2];
        multiplyAdd(rows[i], right16[j % 2 * 2], right16[j % 2 * 2 + 1], sums[i][j], ElementOf<T>());
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
