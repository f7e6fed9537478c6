// The input gradient of a convolution, and with windows of one pixel of a fully connected layer.          paper 3.5
//   inputGradient[n,h,w,c] = sum over r,s,k of outputGradient[n,p,q,k] * weights[k,r,s,c]
//                            with stride p = h + padTop - r, stride q = w + padLeft - s
//   outputGradient [N, P, Q, K], weights [K, R, S, C / groups], inputGradient [N, H, W, C] fp32 or bf16
// Implicit GEMM: M is the input's pixels N H W, N a group's channels, K (the depth) R S K / groups.
// Gather, not scatter: each input pixel sums the taps that it took part in, so no atomics and any stride.
// Mapping   a block is a tile (cuda/gemm/tile.cuh). grid.x: pixels (y and z end at 65,535), y: channels, z: groups, times
//           the splits of split-K (cuda/gemm/split_k.h).
// Requires  nothing: 16-byte loads where C / groups, K / groups and the tensors' starts allow them, single values elsewhere.
// Bound     arithmetic. With a stride, only one product in stride^2 is not with zero (AlexNet computes none such).
// Checked   test/ops/conv2d.test.ts; test/cuda/kernels.slow.test.ts: loads of 16 bytes
#include "../gemm/gemm.cuh"
#include "../gemm/operands.cuh"
#include "conv2d.h"
#include "conv2d_mma.h"

namespace alexnet::cuda {
namespace {

// Rows: for each pixel of the input, the output pixels [N, P, Q, K] whose windows hold it; the depth is (r, s, k).
template <class T>
struct Outputs {
  struct Line {
    int row;        // of the picture's first output pixel, counted through all pictures
    int top, left;  // of the output pixel for r = s = 0, times the stride
  };
  const ConvGeometry& geometry;
  const T* gradient;  // the group's first kernel

  __device__ const Radix& depthRadix() const { return geometry.outputTaps; }

  __device__ Line line(int64_t pixel) const {
    const Digits at = digitsOf(pixel, geometry.inputPixels);
    if (at.high >= geometry.images) return {0, INT32_MIN / 2, 0};  // beyond the last picture: zeros
    return {at.high * geometry.outputHeight, at.middle + geometry.padTop, at.low + geometry.padLeft};
  }

  __device__ const T* address(const Line& line, const Digits& tap) const {
    int y = line.top - tap.high;
    int x = line.left - tap.middle;
    bool exists = tap.high < geometry.windowHeight && y >= 0 && x >= 0;
    if (geometry.stride > 1) {
      const int p = y / geometry.stride, q = x / geometry.stride;
      exists = exists && p * geometry.stride == y && q * geometry.stride == x;
      y = p, x = q;
    }
    exists = exists && y < geometry.outputHeight && x < geometry.outputWidth;
    const int64_t row = line.row + y;
    return exists ? gradient + row * geometry.outputRowElements + (x * geometry.kernels + tap.low) : nullptr;
  }
};

// Columns: the channels of one group in [K / groups, R, S, C / groups]; the depth is (r, s, k).
template <class T>
struct Channels {
  const ConvGeometry& geometry;
  const T* weights;  // the group's first kernel

  __device__ const Radix& depthRadix() const { return geometry.outputTaps; }
  __device__ Plain<int> widthRadix() const { return {}; }

  __device__ const T* address(const Digits& tap, int channel) const {
    const bool exists = tap.high < geometry.windowHeight && channel < geometry.groupChannels;
    const int element = (tap.high * geometry.windowWidth + tap.middle) * geometry.groupChannels + channel;
    return exists ? weights + static_cast<int64_t>(tap.low) * geometry.kernelElements + element : nullptr;
  }
};

template <class Tile, bool kVector, class T = typename Tile::Type>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks)
    conv2dBackwardInputKernel(const T* gradient, const T* weights, ConvGeometry geometry, GemmParams params,
                              Epilogue epilogue) {
  const Block<Tile> block(params);
  const Position position;
  const int64_t firstColumn = block.group * params.columns;
  const int64_t firstKernel = static_cast<int64_t>(block.group) * geometry.groupKernels;
  const Outputs<T> outputs{geometry, gradient + firstKernel};
  const Channels<T> channels{geometry, weights + firstKernel * geometry.kernelElements};
  AlongDepth<Tile, Tile::kRows, kVector, Outputs<T>> left(outputs, block.row, block.depth);
  AlongWidth<Tile, Tile::kColumns, kVector, Channels<T>> right(channels, block.column, block.depth);
  Sums<Tile> sums = {};
  multiply<Tile>(left, right, block.steps, position, sums);
  finishTile<Tile>(partialOf(epilogue, block.split), position, block.row, params.rows, firstColumn + block.column,
                   firstColumn + params.columns, sums);
}

}  // namespace

void conv2dBackwardInput(const Conv2dBackwardInput& operation, Context& context) {
  if (mma::takes(operation, context)) return mma::conv2dBackwardInputMma(operation, context);
  const ConvGeometry geometry = geometryOf(Conv2dBackwardInput::name, operation.inputGradient, operation.weights,
                                           operation.outputGradient, operation.shape);
  const int64_t pixels = operation.inputGradient.elements() / geometry.channels;
  const int64_t depth = operation.weights.elements() / geometry.groups / geometry.groupChannels;
  const bool vector = allowsVectorLoads(operation.outputGradient, geometry.groupKernels) &&
                      allowsVectorLoads(operation.weights, geometry.groupChannels);
  const Gemm gemm{pixels, geometry.groupChannels, depth, geometry.groups, operation.weights.type, vector};
  const Epilogue epilogue = epilogueOf(operation.inputGradient, geometry.channels, geometry.groupChannels);
  launchGemm(gemm, epilogue, context, [&](const auto& launch) {
    using Chosen = std::decay_t<decltype(launch)>;
    using T = typename Chosen::T;
    launch("conv2dBackwardInputKernel", conv2dBackwardInputKernel<typename Chosen::Tile, Chosen::kVector>,
           operation.outputGradient.data<T>(), operation.weights.data<T>(), geometry);
  });
}

}  // namespace alexnet::cuda
