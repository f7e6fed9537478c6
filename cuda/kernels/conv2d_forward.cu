// Convolution forward, and with windows of one pixel a fully connected layer.                           paper 3.5
//   output[n,p,q,k] = activation(bias[k] + sum over r,s,c of input[n, stride p + r - padTop, stride q + s - padLeft, c]
//                                                            * weights[k,r,s,c] + addend[n,p,q,k])
//   input [N, H, W, C], weights [K, R, S, C / groups] fp32 or bf16; output [N, P, Q, K] that type or fp32;
//   bias [K], addend [N, P, Q, K] fp32
// Implicit GEMM: M is pixels N P Q, N a group's kernels, K (the depth) R S C / groups. Windows are gathered on their way
// into shared memory (cuda/gemm/operands.cuh); no im2col matrix is written.
// Mapping   a block is a tile (cuda/gemm/tile.cuh). grid.x: pixels (y and z end at 65,535), y: kernels, z: groups, times
//           the splits of split-K (cuda/gemm/split_k.h).
// Requires  nothing: 16-byte loads where C / groups and the tensors' starts allow them, single values elsewhere.
// Bound     arithmetic, but for one or few pictures: the weights' bytes.
// Checked   test/ops/conv2d.test.ts; test/cuda/kernels.slow.test.ts: loads of 16 bytes
#include "../gemm/gemm.cuh"
#include "../gemm/operands.cuh"
#include "conv1.h"
#include "conv2d.h"
#include "conv2d_mma.h"

namespace alexnet::cuda {
namespace {

// Rows: the windows of one group, as they lie in the input [N, H, W, C]; the depth is (r, s, c).
template <class T>
struct Windows {
  struct Line {
    int row;        // the window's first, counted through all pictures
    int top, left;  // of the window in its picture; outside where it begins in the padding
  };
  const ConvGeometry& geometry;
  const T* input;  // the group's first channel

  __device__ const Radix& depthRadix() const { return geometry.inputTaps; }

  __device__ Line line(int64_t pixel) const {
    const Digits at = digitsOf(pixel, geometry.outputPixels);
    const int top = at.middle * geometry.stride - geometry.padTop;
    const int left = at.low * geometry.stride - geometry.padLeft;
    if (at.high >= geometry.images) return {0, INT32_MIN, 0};  // beyond the last picture: zeros
    return {at.high * geometry.height + top, top, left};
  }

  __device__ const T* address(const Line& line, const Digits& tap) const {
    const unsigned y = static_cast<unsigned>(line.top + tap.high);
    const unsigned x = static_cast<unsigned>(line.left + tap.middle);
    const bool exists = tap.high < geometry.windowHeight && y < static_cast<unsigned>(geometry.height) &&
                        x < static_cast<unsigned>(geometry.width);
    const int64_t row = line.row + tap.high;
    return exists ? input + row * geometry.rowElements + (x * geometry.channels + tap.low) : nullptr;
  }
};

// Columns: the kernels of one group, [K / groups, R S C / groups].
template <class T>
struct Kernels {
  using Line = int;
  const ConvGeometry& geometry;
  const T* weights;  // the group's first kernel

  __device__ Plain<int> depthRadix() const { return {}; }
  __device__ Line line(int64_t kernel) const { return static_cast<int>(kernel); }

  __device__ const T* address(Line kernel, int tap) const {
    const bool exists = kernel < geometry.groupKernels && tap < geometry.kernelElements;
    return exists ? weights + static_cast<int64_t>(kernel) * geometry.kernelElements + tap : nullptr;
  }
};

template <class Tile, bool kVector, class T = typename Tile::Type>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks)
    conv2dForwardKernel(const T* input, const T* weights, ConvGeometry geometry, GemmParams params, Epilogue epilogue) {
  const Block<Tile> block(params);
  const Position position;
  const int64_t firstColumn = block.group * params.columns;
  const Windows<T> windows{geometry, input + block.group * geometry.groupChannels};
  const Kernels<T> kernels{geometry, weights + firstColumn * geometry.kernelElements};
  AlongDepth<Tile, Tile::kRows, kVector, Windows<T>> left(windows, block.row, block.depth);
  AlongDepth<Tile, Tile::kColumns, kVector, Kernels<T>> right(kernels, block.column, block.depth);
  Sums<Tile> sums = {};
  multiply<Tile>(left, right, block.steps, position, sums);
  finishTile<Tile>(partialOf(epilogue, block.split), position, block.row, params.rows, firstColumn + block.column,
                   firstColumn + params.columns, sums);
}

}  // namespace

void conv2dForward(const Conv2d& operation, Context& context) {
  if (isConv1(operation.weights, operation.shape)) {
    return mma::takesConv1(operation, context) ? mma::conv1ForwardMma(operation, context)
                                               : conv1Forward(operation, context);
  }
  if (mma::takes(operation, context)) return mma::conv2dForwardMma(operation, context);
  const ConvGeometry geometry =
      geometryOf(Conv2d::name, operation.input, operation.weights, operation.output, operation.shape);
  const int64_t pixels = operation.output.elements() / geometry.kernels;
  const bool vector = allowsVectorLoads(operation.input, geometry.groupChannels) &&
                      allowsVectorLoads(operation.weights, geometry.groupChannels);
  const Gemm gemm{pixels,          geometry.groupKernels, geometry.kernelElements,
                  geometry.groups, operation.input.type,  vector};
  Epilogue epilogue = epilogueOf(operation.output, geometry.kernels, geometry.groupKernels);
  epilogue.activation = operation.activation;
  epilogue.bias = floatsOf(operation.bias);
  epilogue.addend = floatsOf(operation.addend);
  launchGemm(gemm, epilogue, context, [&](const auto& launch) {
    using Chosen = std::decay_t<decltype(launch)>;
    using T = typename Chosen::T;
    launch("conv2dForwardKernel", conv2dForwardKernel<typename Chosen::Tile, Chosen::kVector>,
           operation.input.data<T>(), operation.weights.data<T>(), geometry);
  });
}

}  // namespace alexnet::cuda
