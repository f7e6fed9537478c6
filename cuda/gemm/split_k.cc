#include "split_k.h"

#include <algorithm>

namespace alexnet::cuda {
namespace {

constexpr int64_t kDepthOfPart = 128;  // less, and adding the parts up costs as much as they save
constexpr int64_t kScratchElements = int64_t{64} << 20;

int64_t ceilingOf(int64_t value, int64_t unit) { return (value + unit - 1) / unit; }

// With tiles of `rows` x `columns`, of which a multiprocessor works on `blocks` at a time.
Division divideInto(int64_t rows, int64_t columns, int64_t blocks, const Product& product, const Limits& limits) {
  Division division{};
  division.rowTiles = ceilingOf(product.rows, rows);
  division.columnTiles = ceilingOf(product.columns, columns);
  division.steps = ceilingOf(product.depth, stepDepth(sizeOf(product.type)));
  const int64_t tiles = division.rowTiles * division.columnTiles * product.groups;
  const int64_t places = blocks * limits.multiprocessors;
  const int64_t elements = product.rows * product.columns * product.groups;
  const int64_t parts =
      std::min({places / tiles, product.depth / kDepthOfPart, kScratchElements / elements, 65535 / product.groups});
  division.stepsOfPart = ceilingOf(division.steps, std::max<int64_t>(parts, 1));
  division.parts = ceilingOf(division.steps, division.stepsOfPart);
  return division;
}

int64_t covered(const Division& division, int64_t rows, int64_t columns) {
  return division.rowTiles * rows * division.columnTiles * columns;
}

}  // namespace

Division divide(const Product& product, const Limits& limits) {
  Division large = divideInto(128, 128, 2, product, limits);
  large.large = true;
  const Division small = divideInto(64, 64, 4, product, limits);
  if (!product.vector) return small;
  // A large tile loads half as much for a product, but must not hang over the edges or leave processors without one.
  const bool fits = 4 * covered(large, 128, 128) <= 5 * covered(small, 64, 64);
  const bool fills = large.rowTiles * large.columnTiles * product.groups * large.parts >= limits.multiprocessors;
  return fits && fills ? large : small;
}

}  // namespace alexnet::cuda
