// How a GEMM is divided among the blocks of a GPU: the tile's size, and split-K. K is the depth, what is summed over; as
// letter it stands for a convolution's kernels here, so names say rows, columns and depth for M, N and K.
// Split-K: where the tiles alone would leave multiprocessors idle, the depth is divided too. Blocks in grid.z write partial
// sums, and a second kernel adds these up in a fixed order (cuda/gemm/reduce.h), without atomics.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../../core/tensor.h"
#include "../runtime/context.h"

namespace alexnet::cuda {

// How many of `unit` it takes to cover `value`.
constexpr int64_t ceilingOf(int64_t value, int64_t unit) { return (value + unit - 1) / unit; }

// Depth of a K step, for elements of `bytes`: two 16-byte loads.
constexpr int stepDepth(size_t bytes) { return static_cast<int>(32 / bytes); }

// output[row, column] = sum over the depth of left[depth, row] * right[depth, column], in each group
struct Gemm {
  int64_t rows, columns;  // of a group's output
  int64_t depth;
  int64_t groups;
  DataType type;  // of the operands
  bool vector;    // 16-byte loads
};

struct Tiling {
  bool large;  // LargeTile, else SmallTile (cuda/gemm/tile.cuh)
  int64_t rowTiles, columnTiles;
  int64_t steps;          // K steps of the whole depth
  int64_t stepsPerSplit;  // the last split may have fewer
  int64_t splits;         // 1: no split-K
};

Tiling tilingOf(const Gemm& gemm, const Limits& limits);

}  // namespace alexnet::cuda
