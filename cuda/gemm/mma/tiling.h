// Which tile and how many splits a GEMM on tensor cores gets: those that a small model of the GPU finds fastest.
#pragma once

#include <cstddef>

#include "../split_k.h"

namespace alexnet::cuda::mma {

constexpr int kStepBytes = 64;  // of the depth, in a K step
template <class Element>
constexpr int kStepOf = kStepBytes / static_cast<int>(sizeof(Element));

// The tiles that kernels are compiled for (cuda/gemm/mma/tile.cuh), by rows x columns.
enum class Shape { k256x128, k128x256, k128x192, k128x128, k128x96, k256x48, k64x64 };
constexpr int kShapes = 7;

struct ShapeFacts {
  int rows, columns;          // of a tile
  int warpRows, warpColumns;  // of a warp's part
  int blocks;                 // resident on a multiprocessor: bounds the registers
};

constexpr ShapeFacts factsOf(Shape shape) {
  switch (shape) {
    case Shape::k256x128: return {256, 128, 64, 64, 1};
    case Shape::k128x256: return {128, 256, 64, 64, 1};
    case Shape::k128x192: return {128, 192, 64, 48, 1};
    case Shape::k128x128: return {128, 128, 64, 64, 2};
    case Shape::k128x96: return {128, 96, 64, 48, 2};
    case Shape::k256x48: return {256, 48, 64, 48, 2};
    case Shape::k64x64: return {64, 64, 32, 32, 4};
  }
  return {};
}

struct ShapeTiling {
  Shape shape;
  Tiling tiling;
};

// Of a GEMM whose operands are in bf16 or, multiplied in TF32, in fp32, and whose splits may leave partial sums of `partialBytes`.
ShapeTiling chooseTile(const Gemm& gemm, const Limits& limits, size_t partialBytes);

}  // namespace alexnet::cuda::mma
