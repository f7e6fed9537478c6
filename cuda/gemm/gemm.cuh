// Launching a GEMM: which instance of a kernel, over which grid, in how many splits.
#pragma once

#include "../runtime/launch.cuh"
#include "reduce.h"
#include "split_k.h"
#include "tile.cuh"

namespace alexnet::cuda {

// A GEMM and its tiling, as kernels take them.
struct GemmParams {
  int64_t rows, columns;  // of a group's output
  int64_t steps, stepsPerSplit;
  int groups;
  int stages;  // of the ring, of tiles on tensor cores
};

// What a block works on.
template <class Tile>
struct Block {
  int group, split;
  int64_t row, column;  // the tile's first, within the group
  int64_t depth;        // the first of its split
  int steps;

  __device__ explicit Block(const GemmParams& params)
      : group(static_cast<int>(blockIdx.z) % params.groups),
        split(static_cast<int>(blockIdx.z) / params.groups),
        row(static_cast<int64_t>(blockIdx.x) * Tile::kRows),
        column(static_cast<int64_t>(blockIdx.y) * Tile::kColumns),
        depth(split * params.stepsPerSplit * Tile::kDepth),
        steps(static_cast<int>(min(params.stepsPerSplit, params.steps - split * params.stepsPerSplit))) {}
};

// Where a split writes its partial sums.
__device__ inline Epilogue partialOf(Epilogue epilogue, int split) {
  if (epilogue.splitStride > 0) epilogue.output = static_cast<float*>(epilogue.output) + split * epilogue.splitStride;
  return epilogue;
}

// Whether 16-byte loads fit a tensor whose contiguous dimension is cut every `run` elements.
inline bool allowsVectorLoads(const Tensor& tensor, int64_t run) {
  return reinterpret_cast<uintptr_t>(tensor.data()) % 16 == 0 && run * sizeOf(tensor.type) % 16 == 0;
}

// The shared memory of a block, and how many stages of a ring it holds.
struct BlockMemory {
  size_t bytes;
  int stages;
};

// Launches an instance's kernel on the grid of its GEMM.
template <class TileOfBlock>
class Launch {
 public:
  using Tile = TileOfBlock;

  Launch(const Gemm& gemm, const Tiling& tiling, BlockMemory memory, const Epilogue& epilogue, Context& context)
      : gemm_(gemm), tiling_(tiling), memory_(memory), epilogue_(epilogue), context_(context) {}

  // `arguments` are the kernel's, before GemmParams and the epilogue.
  template <class... Parameters, class... Arguments>
  void operator()(const char* name, void (*kernel)(Parameters...), Arguments... arguments) const {
    const Grid grid{tiling_.rowTiles, tiling_.columnTiles, gemm_.groups * tiling_.splits};
    const GemmParams params{
        gemm_.rows,    gemm_.columns, tiling_.steps, tiling_.stepsPerSplit, static_cast<int>(gemm_.groups),
        memory_.stages};
    launchShared(name, kernel, grid, Tile::kThreads, memory_.bytes, context_.limits(), context_.stream(), arguments...,
                 params, epilogue_);
  }

 private:
  const Gemm& gemm_;
  const Tiling& tiling_;
  const BlockMemory memory_;
  const Epilogue& epilogue_;
  Context& context_;
};

// The epilogue that leaves a GEMM's partial sums at `output`, a split's behind the one's before it. `columns`: of all groups.
inline Epilogue partialsOf(const Gemm& gemm, int64_t columns, float* output) {
  Epilogue epilogue;
  epilogue.output = output;
  epilogue.columns = columns;
  epilogue.splitStride = gemm.rows * gemm.columns * gemm.groups;
  epilogue.fours = gemm.columns % 4 == 0 && reinterpret_cast<uintptr_t>(output) % 16 == 0;
  return epilogue;
}

// Calls `launch` with the epilogue of a GEMM, or with split-K with one that leaves partial sums, and adds these up.
template <class LaunchWith>
void launchSplits(const Gemm& gemm, const Tiling& tiling, const Epilogue& epilogue, Context& context,
                  const LaunchWith& launch) {
  if (tiling.splits == 1) return launch(epilogue);
  const int64_t elements = gemm.rows * gemm.columns * gemm.groups;
  auto* const partials =
      static_cast<float*>(context.scratch(static_cast<size_t>(tiling.splits * elements) * sizeof(float)));
  launch(partialsOf(gemm, epilogue.columns, partials));
  sumPartials(partials, tiling.splits, elements, epilogue, context);
}

// On FFMA: an instance for tiles of `Tile`, with loads of 16 bytes or of single values.
template <class TileOfBlock, bool kPieces>
struct FfmaLaunch : Launch<TileOfBlock> {
  FfmaLaunch(const Gemm& gemm, const Tiling& tiling, const Epilogue& epilogue, Context& context)
      : Launch<TileOfBlock>(gemm, tiling, {TileOfBlock::kSharedBytes, 0}, epilogue, context) {}
  using T = typename TileOfBlock::Type;
  static constexpr bool kVector = kPieces;
};

template <class T, class Use>
void launchInstanceOf(const Gemm& gemm, const Tiling& tiling, const Epilogue& epilogue, Context& context,
                      const Use& use) {
  if (!gemm.vector) return use(FfmaLaunch<SmallTile<T>, false>(gemm, tiling, epilogue, context));
  return tiling.large ? use(FfmaLaunch<LargeTile<T>, true>(gemm, tiling, epilogue, context))
                      : use(FfmaLaunch<SmallTile<T>, true>(gemm, tiling, epilogue, context));
}

// Launches a GEMM on FFMA. Calls `use` with the launch of the instance that suits it.
template <class Use>
void launchGemm(const Gemm& gemm, const Epilogue& epilogue, Context& context, const Use& use) {
  const Tiling tiling = tilingOf(gemm, context.limits());
  launchSplits(gemm, tiling, epilogue, context, [&](const Epilogue& end) {
    return gemm.type == DataType::float32 ? launchInstanceOf<float>(gemm, tiling, end, context, use)
                                          : launchInstanceOf<__nv_bfloat16>(gemm, tiling, end, context, use);
  });
}

}  // namespace alexnet::cuda
