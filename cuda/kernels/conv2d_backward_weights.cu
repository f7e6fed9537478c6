// The weight and bias gradients of a convolution, and with windows of one pixel of a fully connected layer. paper 3.5
//   weightGradient[k,r,s,c] = sum over n,p,q of outputGradient[n,p,q,k]
//                                               * input[n, stride p + r - padTop, stride q + s - padLeft, c]
//   biasGradient[k] = sum over n,p,q of outputGradient[n,p,q,k]
//   input [N, H, W, C], outputGradient [N, P, Q, K] fp32 or bf16; weightGradient [K, R, S, C / groups],
//   biasGradient [K] fp32
// Implicit GEMM: M is a group's kernels, N R S C / groups, K (the depth) the output's pixels N P Q. Few tiles and a large
// K: the usual case of split-K (cuda/gemm/split_k.h).
// Mapping   a block is a tile (cuda/gemm/tile.cuh). grid.x: kernels, y: taps, z: groups times splits.
// Requires  nothing: 16-byte loads where C / groups, K / groups and the tensors' starts allow them, single values elsewhere.
// Bound     arithmetic; for a fully connected layer of few pictures the gradient's bytes.
// Checked   test/ops/conv2d.test.ts; test/cuda/kernels.slow.test.ts: loads of 16 bytes
#include "../gemm/gemm.cuh"
#include "../gemm/operands.cuh"
#include "conv1.h"
#include "conv2d.h"
#include "conv2d_mma.h"

namespace alexnet::cuda {
namespace {

// Rows: the kernels of one group in outputGradient [N P Q, K]; the depth is a pixel.
template <class T>
struct Gradients {
  const ConvGeometry& geometry;
  const T* gradient;  // the group's first kernel
  int64_t pixels;

  __device__ Plain<int64_t> depthRadix() const { return {}; }
  __device__ Plain<int> widthRadix() const { return {}; }

  __device__ const T* address(int64_t pixel, int kernel) const {
    const bool exists = pixel < pixels && kernel < geometry.groupKernels;
    return exists ? gradient + pixel * geometry.kernels + kernel : nullptr;
  }
};

// Columns: the taps (r, s, c) of one group's windows in the input [N, H, W, C]; the depth is a pixel (n, p, q).
template <class T>
struct Taps {
  const ConvGeometry& geometry;
  const T* input;  // the group's first channel

  __device__ const Radix& depthRadix() const { return geometry.outputPixels; }
  __device__ const Radix& widthRadix() const { return geometry.inputTaps; }

  __device__ const T* address(const Digits& pixel, const Digits& tap) const {
    const int y = pixel.middle * geometry.stride - geometry.padTop + tap.high;
    const int x = pixel.low * geometry.stride - geometry.padLeft + tap.middle;
    const bool exists = pixel.high < geometry.images && tap.high < geometry.windowHeight && y >= 0 &&
                        y < geometry.height && x >= 0 && x < geometry.width;
    const int64_t row = pixel.high * geometry.height + y;
    return exists ? input + row * geometry.rowElements + (x * geometry.channels + tap.low) : nullptr;
  }
};

template <class Tile, bool kVector, class T = typename Tile::Type>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks)
    conv2dBackwardWeightsKernel(const T* gradient, const T* input, ConvGeometry geometry, int64_t pixels,
                                GemmParams params, Epilogue epilogue) {
  const Block<Tile> block(params);
  const Position position;
  const int64_t firstRow = block.group * params.rows;
  const Gradients<T> gradients{geometry, gradient + firstRow, pixels};
  const Taps<T> taps{geometry, input + block.group * geometry.groupChannels};
  AlongWidth<Tile, Tile::kRows, kVector, Gradients<T>> left(gradients, block.row, block.depth);
  AlongWidth<Tile, Tile::kColumns, kVector, Taps<T>> right(taps, block.column, block.depth);
  Sums<Tile> sums = {};
  multiply<Tile>(left, right, block.steps, position, sums);
  finishTile<Tile>(partialOf(epilogue, block.split), position, firstRow + block.row, firstRow + params.rows,
                   block.column, params.columns, sums);
}

void backwardWeights(const Conv2dBackwardWeights& operation, Context& context) {
  const ConvGeometry geometry = geometryOf(Conv2dBackwardWeights::name, operation.input, operation.weightGradient,
                                           operation.outputGradient, operation.shape);
  const int64_t pixels = operation.outputGradient.elements() / geometry.kernels;
  const bool vector = allowsVectorLoads(operation.outputGradient, geometry.groupKernels) &&
                      allowsVectorLoads(operation.input, geometry.groupChannels);
  const Gemm gemm{geometry.groupKernels, geometry.kernelElements, pixels,
                  geometry.groups,       operation.input.type,    vector};
  const Epilogue epilogue = epilogueOf(operation.weightGradient, geometry.kernelElements, geometry.kernelElements);
  launchGemm(gemm, epilogue, context, [&](const auto& launch) {
    using Chosen = std::decay_t<decltype(launch)>;
    using T = typename Chosen::T;
    launch("conv2dBackwardWeightsKernel", conv2dBackwardWeightsKernel<typename Chosen::Tile, Chosen::kVector>,
           operation.outputGradient.data<T>(), operation.input.data<T>(), geometry, pixels);
  });
}

}  // namespace

void conv2dBackwardWeights(const Conv2dBackwardWeights& operation, Context& context) {
  if (isConv1(operation.weightGradient, operation.shape)) {
    if (mma::takesConv1(operation, context)) return mma::conv1BackwardWeightsMma(operation, context);
    conv1BackwardWeights(operation, context);
  } else {
    if (mma::takes(operation, context)) return mma::conv2dBackwardWeightsMma(operation, context);
    backwardWeights(operation, context);
  }
  if (operation.biasGradient) sumRows(operation.outputGradient, operation.biasGradient, context);
}

}  // namespace alexnet::cuda
