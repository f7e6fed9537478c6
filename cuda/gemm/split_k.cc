#include "split_k.h"

#include <algorithm>

namespace alexnet::cuda {
namespace {

constexpr int64_t kLeastDepth = 128;  // of a split: with less, adding up costs as much as is saved
constexpr int64_t kScratchElements = int64_t{64} << 20;

// With tiles of `rows` x `columns`, of which a multiprocessor holds `blocks` at a time.
Tiling tilingWith(int64_t rows, int64_t columns, int64_t blocks, const Gemm& gemm, const Limits& limits) {
  Tiling tiling{};
  tiling.rowTiles = ceilingOf(gemm.rows, rows);
  tiling.columnTiles = ceilingOf(gemm.columns, columns);
  tiling.steps = ceilingOf(gemm.depth, stepDepth(sizeOf(gemm.type)));
  const int64_t tiles = tiling.rowTiles * tiling.columnTiles * gemm.groups;
  const int64_t resident = blocks * limits.multiprocessors;
  const int64_t elements = gemm.rows * gemm.columns * gemm.groups;
  const int64_t splits =
      std::min({resident / tiles, gemm.depth / kLeastDepth, kScratchElements / elements, 65535 / gemm.groups});
  tiling.stepsPerSplit = ceilingOf(tiling.steps, std::max<int64_t>(splits, 1));
  tiling.splits = ceilingOf(tiling.steps, tiling.stepsPerSplit);
  return tiling;
}

int64_t covered(const Tiling& tiling, int64_t rows, int64_t columns) {
  return tiling.rowTiles * rows * tiling.columnTiles * columns;
}

}  // namespace

Tiling tilingOf(const Gemm& gemm, const Limits& limits) {
  Tiling large = tilingWith(128, 128, 2, gemm, limits);
  large.large = true;
  const Tiling small = tilingWith(64, 64, 4, gemm, limits);
  if (!gemm.vector) return small;
  // A large tile loads half as much per product, but must neither hang over the edges nor leave multiprocessors idle.
  const bool fits = 4 * covered(large, 128, 128) <= 5 * covered(small, 64, 64);
  const bool fills = large.rowTiles * large.columnTiles * gemm.groups * large.splits >= limits.multiprocessors;
  return fits && fills ? large : small;
}

}  // namespace alexnet::cuda
