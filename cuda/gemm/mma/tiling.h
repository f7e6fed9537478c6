// Which tile and how many splits a GEMM on tensor cores gets: those that a small model of the GPU finds fastest.
#pragma once

#include <cstddef>

#include "../split_k.h"

namespace alexnet::cuda::mma {

constexpr int kDepth = 32;  // of a K step

// The tiles that kernels are compiled for, by rows x columns (cuda/gemm/mma/tile.cuh).
enum class Shape { k256x128, k128x256, k128x192, k128x128, k128x96, k256x48, k64x64 };
constexpr int kShapes = 7;

struct ShapeTiling {
  Shape shape;
  Tiling tiling;
};

// Of a GEMM of bf16 operands.
ShapeTiling chooseTile(const Gemm& gemm, const Limits& limits);

}  // namespace alexnet::cuda::mma
