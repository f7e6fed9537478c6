// A block's tile of a GEMM on tensor cores: operands in bf16, or in fp32 that is rounded to TF32 on its way; fp32 sums.
//   sums[row, column] += left[row, depth] * right[column, depth]        rows x columns of a tile, summed over the depth
// Ring      3 or 4 stages of shared memory, each a K step of both operands: 64 bytes of the depth, 32 values of bf16 or 16
//           of fp32. While one is multiplied, cp.async fills the others. One wait and one barrier a step; the stage that
//           this barrier frees is filled behind it, a few pieces after every 16 rows of products.
// Layouts   how an operand lies in a stage, after how it lies in global memory:
//             Rows   [row][64 bytes of the depth]. XOR swizzle: 16-byte piece p of a row lies at p ^ (row / 2 % 4), so the
//                    8 rows that ldmatrix reads at a time hit different banks
//             Deep   [depth][row]. bf16 is read by ldmatrix.trans, with 16 bytes of padding behind each line, to the same
//                    end; fp32, which that does not transpose, by words: a lane's line is 8 words on in the banks
// Mapping   a warp holds kWarpRows x kWarpColumns of sums, as pieces of 16 x 8 (mma.m16n8k16, of TF32 m16n8k8).
#pragma once

#include <algorithm>

#include "../gemm.cuh"
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
//   load<kFirst>(source, words)     the four matrices, as mma takes them once roundOperands has rounded them
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
  }
};

// The shared memory of a block: a ring of 4 stages where the multiprocessor has room for that in all of its blocks, as on an
// A100 or an H100, or of 3.
template <class T, class Left, class Right>
struct Stages {
  static constexpr int kBytes = Left::kBytes + Right::kBytes;
  static constexpr int kSumBytes = T::kWarps * 16 * T::kSumPitch * 4;
  static constexpr int kBesides = 2048;  // of a block: a loader's table, and what the system takes

  static BlockMemory memoryOf(const Limits& limits) {
    constexpr size_t kFour = size_t{4} * kBytes;
    const size_t room = limits.sharedBytesPerProcessor / T::kBlocks;
    const int stages = kFour + kBesides <= std::min(room, limits.sharedBytesPerBlock) ? 4 : 3;
    return {static_cast<size_t>(std::max(stages * kBytes, kSumBytes)), stages};
  }
};

// Sums over the depth of the left operand's rows: its product with a column of ones, at no load. Warps side by side have the
// same rows, and share them: each sums every kWarpsAcross-th 16. It chooses before it multiplies, for a product that a
// predicate switches off takes the tensor cores' time all the same (measured on an H200).
template <class T>
struct RowSums {
  static constexpr int kOwn = T::kWarpRows / 16 / T::kWarpsAcross;
  static_assert(kOwn * T::kWarpsAcross * 16 == T::kWarpRows, "every warp has as many");
  float sums[kOwn][4] = {};

  static __device__ int across() { return static_cast<int>(threadIdx.x / 32 % T::kWarpsAcross); }

  __device__ void add(const unsigned (&rows)[T::kWarpRows / 16][4]) {
    using Element = ElementOf<T>;
    constexpr unsigned kOnes = sizeof(Element) == 2 ? 0x3f803f80 : 0x3f800000;  // two of bf16, or one of fp32
#pragma unroll
    for (int own = 0; own < kOwn; ++own) {
      unsigned words[4];
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        words[k] = rows[own * T::kWarpsAcross][k];
#pragma unroll
        for (int warp = 1; warp < T::kWarpsAcross; ++warp) {
          words[k] = across() == warp ? rows[own * T::kWarpsAcross + warp][k] : words[k];
        }
      }
      multiplyAdd(words, kOnes, kOnes, sums[own], Element());
    }
  }

  // Stores those of the tile's rows from `firstRow` on that are before `endRow`. All columns of a piece are the same.
  __device__ void store(float* output, int64_t firstRow, int64_t endRow) const {
    const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    if (lane % 4 != 0) return;
    firstRow += warp / T::kWarpsAcross * T::kWarpRows + 16 * across() + lane / 4;
#pragma unroll
    for (int own = 0; own < kOwn; ++own) {
      const int64_t row = firstRow + 16 * T::kWarpsAcross * own;
      if (row < endRow) output[row] = sums[own][0];
      if (row + 8 < endRow) output[row + 8] = sums[own][2];
    }
  }
};
template <class T>
struct NoRowSums {
  __device__ void add(const unsigned (&)[T::kWarpRows / 16][4]) {}
};

// What a warp multiplies at a time: its rows and columns, over 32 bytes of the depth. Rows' registers are free for the next as
// soon as the tensor cores have taken them; all columns are wanted until the last rows, so they are here twice.
template <class T>
struct Fragments {
  unsigned rows[T::kWarpRows / 16][4];
  unsigned columns[2][T::kWarpColumns / 16][4];
};

template <class T, class Layout>
__device__ inline void loadColumns(SharedAddress source, unsigned (&columns)[T::kWarpColumns / 16][4]) {
#pragma unroll
  for (int j = 0; j < T::kWarpColumns / 16; ++j) {
    Layout::template load<First::depth>(source + j * Layout::kSixteenRows, columns[j]);
  }
}

// Adds the products of the fragments that are here, and loads those that lie at `nextLeft` and `nextRight` in their stead.
// `beside(i)` runs behind the products of each 16 rows: what it does is done while they are being made.
template <int kHere, class T, class Left, class Right, class Extra, class Beside>
__device__ inline void accumulate(Fragments<T>& fragments, SharedAddress nextLeft, SharedAddress nextRight,
                                  Sums<T>& sums, Extra& rowSums, const Beside& beside) {
  using Element = ElementOf<T>;
  auto& [rows, bothColumns] = fragments;
  auto& columns = bothColumns[kHere];
#pragma unroll
  for (auto& words : rows) roundOperands(words, Element());
#pragma unroll
  for (auto& words : columns) roundOperands(words, Element());
  rowSums.add(rows);
  loadColumns<T, Right>(nextRight, bothColumns[1 - kHere]);
#pragma unroll
  for (int i = 0; i < T::kWarpRows / 16; ++i) {
#pragma unroll
    for (int j = 0; j < T::kWarpColumns / 8; ++j) {
      const unsigned(&right16)[4] = columns[j / 2];
      multiplyAdd(rows[i], right16[j % 2 * 2], right16[j % 2 * 2 + 1], sums[i][j], Element());
    }
    Left::template load<First::rows>(nextLeft + i * Left::kSixteenRows, rows[i]);
    beside(i);
  }
}

// The main loop, over `steps` K steps. Tensor cores are never without work: while they multiply one half of a step, the
// fragments of the next are loaded and pieces of a later step are copied. A loader (cuda/gemm/mma/loaders.cuh) copies a step
// into a stage, zeros where the step is not wanted; where it looks up the depth's lines in a table, it has written that of
// step i into slot i % 2 a barrier before.
//   first half    the right operand of step + stages - 1 is copied, and with it that stage is complete
//   the barrier   the next stage has landed, and nobody reads this one any more
//   second half   the left operand of step + stages is copied into this stage
template <class T, class Left, class Right, class Extra>
__device__ inline void multiply(Left& left, Right& right, int steps, int stages, uint4* shared, Sums<T>& sums,
                                Extra& rowSums) {
  using LeftLayout = typename Left::Layout;
  using RightLayout = typename Right::Layout;
  constexpr int kBytes = Stages<T, LeftLayout, RightLayout>::kBytes;
  constexpr int kParts = T::kWarpRows / 16;
  static_assert(kStepBytes == 64, "a step has two halves");
  const unsigned warp = threadIdx.x / 32;
  const unsigned row = warp / T::kWarpsAcross * T::kWarpRows, column = warp % T::kWarpsAcross * T::kWarpColumns;
  const SharedAddress ring = sharedAddress(shared);
  const SharedAddress ringEnd = ring + stages * kBytes;
  const auto leftSource = [&](SharedAddress stage, unsigned half) {
    return stage + LeftLayout::template source<First::rows>(row, half);
  };
  const auto rightSource = [&](SharedAddress stage, unsigned half) {
    return stage + LeftLayout::kBytes + RightLayout::template source<First::depth>(column, half);
  };
  const auto copyRight = [&](int step, SharedAddress stage, int part) {
    if (part == 0) right.tabulate((step + 1) % 2);
    right.template copy<kParts>(stage + LeftLayout::kBytes, step % 2, part, step < steps);
    if (part == kParts - 1) commitCopies();  // in any case: groups are counted
  };
  const auto waitForNext = [&] {  // of the stages - 1 last groups the first
    if (stages == 4) {
      waitForCopies<2>();
    } else {
      waitForCopies<1>();
    }
    __syncthreads();
  };
  right.tabulate(0);
#pragma unroll 1
  for (int step = 0; step < stages; ++step) {
    __syncthreads();
    const SharedAddress stage = ring + step * kBytes;
#pragma unroll
    for (int part = 0; part < kParts; ++part) {
      left.template copy<kParts>(stage, part, step < steps);
      if (step < stages - 1) copyRight(step, stage, part);
    }
  }
  waitForNext();
  Fragments<T> fragments;
  loadColumns<T, RightLayout>(rightSource(ring, 0), fragments.columns[0]);
#pragma unroll
  for (int i = 0; i < kParts; ++i) {
    LeftLayout::template load<First::rows>(leftSource(ring, 0) + i * LeftLayout::kSixteenRows, fragments.rows[i]);
  }
  SharedAddress full = ring, last = ringEnd - kBytes;
  for (int step = 0; step < steps; ++step) {
    accumulate<0, T, LeftLayout, RightLayout>(fragments, leftSource(full, 1), rightSource(full, 1), sums, rowSums,
                                              [&](int part) { copyRight(step + stages - 1, last, part); });
    waitForNext();
    last = full;
    full = full + kBytes == ringEnd ? ring : full + kBytes;
    accumulate<1, T, LeftLayout, RightLayout>(
        fragments, leftSource(full, 0), rightSource(full, 0), sums, rowSums,
        [&](int part) { left.template copy<kParts>(last, part, step + stages < steps); });
  }
  commitCopies();
  waitForCopies<0>();
  __syncthreads();  // the epilogue takes the ring's memory
}

}  // namespace alexnet::cuda::mma
