#include "tiling.h"

#include <algorithm>

namespace alexnet::cuda::mma {
namespace {

constexpr int64_t kLeastSteps = 4;  // of a split: with fewer, adding up costs as much as is saved

// What a multiprocessor does in a clock, from data sheets and public measurements: products and additions in bf16 with
// fp32 sums by mma.sync (in TF32 half as many), and bytes from L2. They decide between tiles only; results are right with
// any.
struct Rates {
  double products, bytes;
};

Rates ratesOf(int computeCapability) {
  switch (computeCapability) {
    case 80: return {1000, 28};
    case 90:
    case 100: return {1300, 24};
    default: return {256, 16};  // 8.6, 8.9, 12.0
  }
}

constexpr double kEfficiency = 0.82;        // of either rate, in a main loop
constexpr double kPrologueClocks = 1400;    // until a block's first product
constexpr double kSecondPassClocks = 3000;  // a launch

int64_t stepsOf(const Gemm& gemm) {
  return ceilingOf(gemm.depth * static_cast<int64_t>(sizeOf(gemm.type)), kStepBytes);
}

Tiling divided(const Gemm& gemm, const ShapeFacts& facts, int64_t splits) {
  Tiling tiling{};
  tiling.rowTiles = ceilingOf(gemm.rows, facts.rows);
  tiling.columnTiles = ceilingOf(gemm.columns, facts.columns);
  tiling.steps = stepsOf(gemm);
  tiling.stepsPerSplit = ceilingOf(tiling.steps, splits);
  tiling.splits = ceilingOf(tiling.steps, tiling.stepsPerSplit);
  return tiling;
}

// A warp alone on its scheduler waits for its own loads and sums.
double shareOfRate(int64_t warps) { return warps >= 12 ? 1 : warps >= 8 ? 0.95 : 0.7; }

double clocksOf(const Gemm& gemm, const ShapeFacts& facts, const Tiling& tiling, const Limits& limits) {
  const Rates rates = ratesOf(limits.computeCapability);
  const int64_t tiles = tiling.rowTiles * tiling.columnTiles * gemm.groups;
  const int64_t blocks = ceilingOf(tiles * tiling.splits, limits.multiprocessors);  // of the busiest multiprocessor
  const int64_t resident = std::min<int64_t>(blocks, facts.blocks);
  const int64_t warps = facts.rows / facts.warpRows * (facts.columns / facts.warpColumns);
  const auto area = static_cast<double>(facts.rows * facts.columns);
  const auto sides = static_cast<double>(facts.rows + facts.columns);
  const double products = area * (kStepBytes / 2) / rates.products / shareOfRate(resident * warps);
  const double bytes = sides * kStepBytes / rates.bytes;
  const double step = std::max(products, bytes) / kEfficiency;
  const auto outputBytes = static_cast<double>(tiling.splits > 1 ? sizeof(float) : sizeOf(gemm.type));
  const double epilogue = area * outputBytes / rates.bytes;
  double clocks = static_cast<double>(blocks) * (static_cast<double>(tiling.stepsPerSplit) * step + epilogue) +
                  static_cast<double>(ceilingOf(blocks, facts.blocks)) * kPrologueClocks;
  if (tiling.splits > 1) {
    const auto partials = static_cast<double>(tiling.splits * gemm.rows * gemm.columns * gemm.groups);
    clocks += kSecondPassClocks + partials * 4 / (rates.bytes * limits.multiprocessors);
  }
  return clocks;
}

}  // namespace

ShapeTiling chooseTile(const Gemm& gemm, const Limits& limits, size_t partialBytes) {
  ShapeTiling best{};
  double least = 0;
  const int64_t outputBytes = gemm.rows * gemm.columns * gemm.groups * static_cast<int64_t>(sizeof(float));
  const int64_t most =
      std::min({static_cast<int64_t>(partialBytes) / outputBytes, stepsOf(gemm) / kLeastSteps, 65535 / gemm.groups});
  for (int shape = 0; shape < kShapes; ++shape) {
    const ShapeFacts facts = factsOf(static_cast<Shape>(shape));
    for (int64_t splits = 1; splits == 1 || splits <= most; ++splits) {
      const Tiling tiling = divided(gemm, facts, splits);
      const double clocks = clocksOf(gemm, facts, tiling, limits);
      if (least > 0 && clocks >= least) continue;
      least = clocks;
      best = {static_cast<Shape>(shape), tiling};
    }
  }
  return best;
}

}  // namespace alexnet::cuda::mma
