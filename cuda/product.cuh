// Launching a matrix product: which instance of a kernel, over which grid, in how many parts.
#pragma once

#include "division.h"
#include "launch.cuh"
#include "reduce.h"
#include "tile.cuh"

namespace alexnet::cuda {

// A product and its division, as kernels see them.
struct Work {
  int64_t rows, columns;  // of a group's output
  int64_t steps, stepsOfPart;
  int groups;
};

// What a block works on.
template <class Tile>
struct Block {
  int group, part;
  int64_t row, column;  // the tile's first, within the group
  int64_t depth;        // the first
  int steps;
  Position position;  // the thread's

  __device__ explicit Block(const Work& work)
      : group(static_cast<int>(blockIdx.z) % work.groups),
        part(static_cast<int>(blockIdx.z) / work.groups),
        row(static_cast<int64_t>(blockIdx.x) * Tile::kRows),
        column(static_cast<int64_t>(blockIdx.y) * Tile::kColumns),
        depth(part * work.stepsOfPart * Tile::kDepth),
        steps(static_cast<int>(min(work.stepsOfPart, work.steps - part * work.stepsOfPart))) {}
};

__device__ inline Epilogue partOf(Epilogue epilogue, int part) {
  if (epilogue.partSize > 0) epilogue.output = static_cast<float*>(epilogue.output) + part * epilogue.partSize;
  return epilogue;
}

// An instance of a kernel.
template <class TileOfBlock, bool kPieces>
struct Instance {
  using Tile = TileOfBlock;
  using T = typename Tile::Type;
  static constexpr bool kVector = kPieces;
};

template <class T, class Use>
void withInstanceOf(bool vector, bool large, const Use& use) {
  if (!vector) return use(Instance<SmallTile<T>, false>());
  return large ? use(Instance<LargeTile<T>, true>()) : use(Instance<SmallTile<T>, true>());
}

// Calls `use` with the instance for a product and its division.
template <class Use>
void withInstance(const Product& product, const Division& division, const Use& use) {
  return product.type == DataType::float32 ? withInstanceOf<float>(product.vector, division.large, use)
                                           : withInstanceOf<__nv_bfloat16>(product.vector, division.large, use);
}

// Whether a tensor whose contiguous dimension is cut every `run` elements can be loaded in pieces of 16 bytes.
inline bool inPieces(const Tensor& tensor, int64_t run) {
  return reinterpret_cast<uintptr_t>(tensor.data()) % 16 == 0 && run * sizeOf(tensor.type) % 16 == 0;
}

// Launches `kernel` on the product's grid. `arguments` are the kernel's, before the work and the epilogue.
template <class Tile, class... Parameters, class... Arguments>
void launchTiles(const char* name, void (*kernel)(Parameters...), const Product& product, const Division& division,
                 const Epilogue& epilogue, Context& context, Arguments... arguments) {
  const Grid grid{division.rowTiles, division.columnTiles, product.groups * division.parts};
  const Work work{product.rows, product.columns, division.steps, division.stepsOfPart,
                  static_cast<int>(product.groups)};
  launchShared(name, kernel, grid, Tile::kThreads, Tile::kSharedBytes, context.limits(), context.stream(), arguments...,
               work, epilogue);
}

// A product with its second pass, where it has parts. `launchFirst(division, epilogue)` launches the kernel.
template <class LaunchFirst>
void launchProduct(const Product& product, const Epilogue& epilogue, Context& context, const LaunchFirst& launchFirst) {
  const Division division = divide(product, context.limits());
  if (division.parts == 1) return launchFirst(division, epilogue);
  Epilogue partial;
  partial.columns = epilogue.columns;
  partial.partSize = product.rows * product.columns * product.groups;
  partial.fours = product.columns % 4 == 0;
  partial.output = context.scratch(static_cast<size_t>(division.parts * partial.partSize) * sizeof(float));
  launchFirst(division, partial);
  sumParts(static_cast<const float*>(partial.output), division.parts, partial.partSize, epilogue, context);
}

}  // namespace alexnet::cuda
