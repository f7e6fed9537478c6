// Launching a GEMM on tensor cores: which instance of a kernel, over which grid, in how many splits.
#pragma once

#include "../gemm.cuh"
#include "epilogue.cuh"
#include "loaders.cuh"

namespace alexnet::cuda::mma {

// Offsets are 32 bits wide and may run a few lines past the end.
constexpr int64_t kMostElements = (int64_t{1} << 31) - (int64_t{1} << 26);

// Whether tensor cores take an operand whose contiguous dimension is cut every `run` elements.
inline bool suits(const Tensor& tensor, int64_t run) {
  return allowsVectorLoads(tensor, run) && tensor.elements() < kMostElements;
}

// Whether a GPU's tensor cores multiply tensors of the type; fp32 in TF32, where that is permitted.
inline bool multiplies(DataType type, bool tf32, const Context& context) {
  return context.limits().tensorCores && (type == DataType::bfloat16 || tf32);
}

// Calls `use` with a value of the type's elements.
template <class Use>
void withElement(DataType type, const Use& use) {
  return type == DataType::float32 ? use(float()) : use(__nv_bfloat16());
}

// Launches the tiles of a GEMM whose operands lie as LeftLayout and RightLayout say. Calls `use` with the launch of the
// instance that suits it.
template <class Element, template <class, int> class LeftLayout, template <class, int> class RightLayout, class Use>
void launchTiles(const Gemm& gemm, const ShapeTiling& chosen, const Epilogue& epilogue, Context& context,
                 const Use& use) {
  const auto with = [&](auto tile) {
    using T = decltype(tile);
    using Ring = Stages<T, LeftLayout<Element, T::kRows>, RightLayout<Element, T::kColumns>>;
    use(Launch<T>(gemm, chosen.tiling, Ring::memoryOf(context.limits()), epilogue, context));
  };
  switch (chosen.shape) {
    case Shape::k256x128: return with(Tile<Shape::k256x128, Element>());
    case Shape::k128x256: return with(Tile<Shape::k128x256, Element>());
    case Shape::k128x192: return with(Tile<Shape::k128x192, Element>());
    case Shape::k128x128: return with(Tile<Shape::k128x128, Element>());
    case Shape::k128x96: return with(Tile<Shape::k128x96, Element>());
    case Shape::k256x48: return with(Tile<Shape::k256x48, Element>());
    case Shape::k64x64: return with(Tile<Shape::k64x64, Element>());
  }
}

// The same, and with split-K the sum of its splits.
template <class Element, template <class, int> class LeftLayout, template <class, int> class RightLayout, class Use>
void launchGemm(const Gemm& gemm, const Epilogue& epilogue, Context& context, const Use& use) {
  const Limits& limits = context.limits();
  const ShapeTiling chosen = chooseTile(gemm, limits, limits.partialBytes());
  launchSplits(gemm, chosen.tiling, epilogue, context, [&](const Epilogue& end) {
    launchTiles<Element, LeftLayout, RightLayout>(gemm, chosen, end, context, use);
  });
}

}  // namespace alexnet::cuda::mma
