// Launching a GEMM on tensor cores: which instance of a kernel, over which grid, in how many splits.
#pragma once

#include "../gemm.cuh"
#include "loaders.cuh"

namespace alexnet::cuda::mma {

// Offsets are 32 bits wide and may run a few lines past the end.
constexpr int64_t kMostElements = (int64_t{1} << 31) - (int64_t{1} << 26);

// Whether tensor cores take an operand whose contiguous dimension is cut every `run` elements.
inline bool suits(const Tensor& tensor, int64_t run) {
  return tensor.type == DataType::bfloat16 && run % kPiece == 0 && tensor.elements() < kMostElements &&
         reinterpret_cast<uintptr_t>(tensor.data()) % 16 == 0;
}

// Launches the tiles of a GEMM whose operands lie as LeftLayout and RightLayout say. Calls `use` with the launch of the
// instance that suits it.
template <template <int> class LeftLayout, template <int> class RightLayout, class Use>
void launchTiles(const Gemm& gemm, const ShapeTiling& chosen, const Epilogue& epilogue, Context& context,
                 const Use& use) {
  const auto with = [&](auto tile) {
    using T = decltype(tile);
    constexpr int kShared = Stages<T, LeftLayout<T::kRows>, RightLayout<T::kColumns>>::kSharedBytes;
    use(Launch<T, kShared>(gemm, chosen.tiling, epilogue, context));
  };
  switch (chosen.shape) {
    case Shape::k256x128: return with(Tile<Shape::k256x128>());
    case Shape::k128x256: return with(Tile<Shape::k128x256>());
    case Shape::k128x192: return with(Tile<Shape::k128x192>());
    case Shape::k128x128: return with(Tile<Shape::k128x128>());
    case Shape::k128x96: return with(Tile<Shape::k128x96>());
    case Shape::k256x48: return with(Tile<Shape::k256x48>());
    case Shape::k64x64: return with(Tile<Shape::k64x64>());
  }
}

// The same, and with split-K the sum of its splits.
template <template <int> class LeftLayout, template <int> class RightLayout, class Use>
void launchGemm(const Gemm& gemm, const Epilogue& epilogue, Context& context, const Use& use) {
  const Limits& limits = context.limits();
  const ShapeTiling chosen = chooseTile(gemm, limits, limits.partialBytes());
  launchSplits(gemm, chosen.tiling, epilogue, context,
               [&](const Epilogue& end) { launchTiles<LeftLayout, RightLayout>(gemm, chosen, end, context, use); });
}

}  // namespace alexnet::cuda::mma
