// Launching a matrix product: which instance of a kernel, over which grid, in how many parts.
#pragma once

#include "../runtime/launch.cuh"
#include "reduce.h"
#include "split_k.h"
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

// Whether a tensor whose contiguous dimension is cut every `run` elements can be loaded in pieces of 16 bytes.
inline bool inPieces(const Tensor& tensor, int64_t run) {
  return reinterpret_cast<uintptr_t>(tensor.data()) % 16 == 0 && run * sizeOf(tensor.type) % 16 == 0;
}

// Launches an instance's kernel on the grid of its product.
template <class TileOfBlock, bool kPieces>
class Launch {
 public:
  using Tile = TileOfBlock;
  using T = typename Tile::Type;
  static constexpr bool kVector = kPieces;

  Launch(const Product& product, const Division& division, const Epilogue& epilogue, Context& context)
      : product_(product), division_(division), epilogue_(epilogue), context_(context) {}

  // `arguments` are the kernel's, before the work and the epilogue.
  template <class... Parameters, class... Arguments>
  void operator()(const char* name, void (*kernel)(Parameters...), Arguments... arguments) const {
    const Grid grid{division_.rowTiles, division_.columnTiles, product_.groups * division_.parts};
    const Work work{product_.rows, product_.columns, division_.steps, division_.stepsOfPart,
                    static_cast<int>(product_.groups)};
    launchShared(name, kernel, grid, Tile::kThreads, Tile::kSharedBytes, context_.limits(), context_.stream(),
                 arguments..., work, epilogue_);
  }

 private:
  const Product& product_;
  const Division& division_;
  const Epilogue& epilogue_;
  Context& context_;
};

template <class T, class Use>
void launchInstanceOf(const Product& product, const Division& division, const Epilogue& epilogue, Context& context,
                      const Use& use) {
  if (!product.vector) return use(Launch<SmallTile<T>, false>(product, division, epilogue, context));
  return division.large ? use(Launch<LargeTile<T>, true>(product, division, epilogue, context))
                        : use(Launch<SmallTile<T>, true>(product, division, epilogue, context));
}

// Launches a product with its second pass, where it has parts. `use` is called with the Launch of the instance of the
// kernel that suits the product.
template <class Use>
void launchProduct(const Product& product, const Epilogue& epilogue, Context& context, const Use& use) {
  const Division division = divide(product, context.limits());
  const auto first = [&](const Epilogue& end) {
    return product.type == DataType::float32 ? launchInstanceOf<float>(product, division, end, context, use)
                                             : launchInstanceOf<__nv_bfloat16>(product, division, end, context, use);
  };
  if (division.parts == 1) return first(epilogue);
  Epilogue partial;
  partial.columns = epilogue.columns;
  partial.partSize = product.rows * product.columns * product.groups;
  partial.fours = product.columns % 4 == 0;
  partial.output = context.scratch(static_cast<size_t>(division.parts * partial.partSize) * sizeof(float));
  first(partial);
  sumParts(static_cast<const float*>(partial.output), division.parts, partial.partSize, epilogue, context);
}

}  // namespace alexnet::cuda
