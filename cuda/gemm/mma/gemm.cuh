// Launching a GEMM on tensor cores: which instance of a kernel, over which grid, in how many splits.
#pragma once

#include "../gemm.cuh"
#include "loaders.cuh"

namespace alexnet::cuda::mma {

// Rows, columns, of a warp, stages, blocks on a multiprocessor.
template <Shape>
struct TileOf;
template <>
struct TileOf<Shape::k256x128> : Tile<256, 128, 64, 64, 3, 1> {};
template <>
struct TileOf<Shape::k128x256> : Tile<128, 256, 64, 64, 3, 1> {};
template <>
struct TileOf<Shape::k128x192> : Tile<128, 192, 64, 48, 3, 1> {};
template <>
struct TileOf<Shape::k128x128> : Tile<128, 128, 64, 64, 3, 2> {};
template <>
struct TileOf<Shape::k128x96> : Tile<128, 96, 64, 48, 3, 2> {};
template <>
struct TileOf<Shape::k256x48> : Tile<256, 48, 64, 48, 3, 2> {};
template <>
struct TileOf<Shape::k64x64> : Tile<64, 64, 32, 32, 4, 4> {};

// Offsets are 32 bits wide and may run a few lines past the end.
constexpr int64_t kMostElements = (int64_t{1} << 31) - (int64_t{1} << 26);

// Whether tensor cores take an operand whose contiguous dimension is cut every `run` elements.
inline bool suits(const Tensor& tensor, int64_t run) {
  return tensor.type == DataType::bfloat16 && run % kPiece == 0 && tensor.elements() < kMostElements &&
         reinterpret_cast<uintptr_t>(tensor.data()) % 16 == 0;
}

// Launches a GEMM whose operands lie as LeftLayout and RightLayout say. Calls `use` with the launch of the instance that
// suits it.
template <template <int> class LeftLayout, template <int> class RightLayout, class Use>
void launchGemm(const Gemm& gemm, const Epilogue& epilogue, Context& context, const Use& use) {
  const ShapeTiling chosen = chooseTile(gemm, context.limits());
  launchSplits(gemm, chosen.tiling, epilogue, context, [&](const Epilogue& end) {
    const auto with = [&](auto tile) {
      using T = decltype(tile);
      constexpr int kShared = Stages<T, LeftLayout<T::kRows>, RightLayout<T::kColumns>>::kSharedBytes;
      use(Launch<T, kShared>(gemm, chosen.tiling, end, context));
    };
    switch (chosen.shape) {
      case Shape::k256x128: return with(TileOf<Shape::k256x128>());
      case Shape::k128x256: return with(TileOf<Shape::k128x256>());
      case Shape::k128x192: return with(TileOf<Shape::k128x192>());
      case Shape::k128x128: return with(TileOf<Shape::k128x128>());
      case Shape::k128x96: return with(TileOf<Shape::k128x96>());
      case Shape::k256x48: return with(TileOf<Shape::k256x48>());
      case Shape::k64x64: return with(TileOf<Shape::k64x64>());
    }
  });
}

}  // namespace alexnet::cuda::mma
