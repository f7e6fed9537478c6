// How a matrix product is divided among the blocks of a GPU: the tile's size, and into how many parts the depth is cut
// where the tiles alone would leave multiprocessors idle. The parts are added up in a fixed order (cuda/gemm/reduce.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "../../core/tensor.h"
#include "../runtime/context.h"

namespace alexnet::cuda {

// How much of the depth a tile takes at a time: two 16-byte pieces of operands whose elements have `bytes`.
constexpr int stepDepth(size_t bytes) { return static_cast<int>(32 / bytes); }

// output[row, column] = sum over the depth of left[depth, row] * right[depth, column], in each group
struct Product {
  int64_t rows, columns;  // of a group's output
  int64_t depth;
  int64_t groups;
  DataType type;  // of the operands
  bool vector;    // they come in pieces of 16 bytes
};

struct Division {
  bool large;  // LargeTile, else SmallTile (cuda/gemm/tile.cuh)
  int64_t rowTiles, columnTiles;
  int64_t steps;        // of the depth
  int64_t stepsOfPart;  // the last part may have fewer
  int64_t parts;
};

Division divide(const Product& product, const Limits& limits);

}  // namespace alexnet::cuda
