// Convolution forward, and with windows of one pixel a fully connected layer.                           paper 3.5
//   output[n,p,q,k] = activation(bias[k] + sum over r,s,c of input[n, stride p + r - padTop, stride q + s - padLeft, c]
//                                                            * weights[k,r,s,c] + addend[n,p,q,k])
//   input [N, H, W, C], weights [K, R, S, C / groups] fp32 or bf16; output [N, P, Q, K] that type or fp32;
//   bias [K], addend [N, P, Q, K] fp32
// Implicit matrix product: rows are pixels N P Q, columns a group's kernels, the depth R S C / groups; windows are put
// together from the input on their way into shared memory (cuda/staging.cuh), never in memory.
// Mapping   a block is a tile (cuda/tile.cuh). Pixels ride grid.x: y and z stop at 65,535. Kernels ride grid.y, groups
//           and the parts of a divided depth (cuda/division.h) grid.z.
// Requires  nothing: 16-byte loads where C / groups and the tensors' starts allow them, single values elsewhere.
// Bound     arithmetic, but for one or few pictures: the weights' bytes.
// Checked   test/cuda/kernels.test.ts: no spills, no stack.
#include "conv1.h"
#include "conv2d.h"
#include "product.cuh"
#include "staging.cuh"

namespace alexnet::cuda {
namespace {

// Rows: the windows of one group, as they lie in the input [N, H, W, C]; the depth is (r, s, c).
template <class T>
struct Windows {
  struct Line {
    const T* corner;  // of the window, which may lie outside
    int top, left;
  };
  const Geometry& geometry;
  const T* input;  // the group's first channel

  __device__ Radix depthRadix() const { return {geometry.windowWidth, geometry.groupChannels}; }

  __device__ Line line(int64_t pixel) const {
    const Digits at = digitsOf(pixel, {geometry.outputHeight, geometry.outputWidth});
    const int top = at.middle * geometry.stride - geometry.padTop;
    const int left = at.low * geometry.stride - geometry.padLeft;
    const int64_t pixels = (static_cast<int64_t>(at.high) * geometry.height + top) * geometry.width + left;
    // Beyond the last picture, every row is outside.
    return {input + pixels * geometry.channels, at.high < geometry.images ? top : INT32_MIN, left};
  }

  __device__ const T* address(const Line& line, const Digits& tap) const {
    const unsigned row = static_cast<unsigned>(line.top + tap.high);
    const unsigned column = static_cast<unsigned>(line.left + tap.middle);
    const bool exists = tap.high < geometry.windowHeight && row < static_cast<unsigned>(geometry.height) &&
                        column < static_cast<unsigned>(geometry.width);
    return exists ? line.corner + (tap.high * geometry.width + tap.middle) * geometry.channels + tap.low : nullptr;
  }
};

// Columns: the kernels of one group, [K / groups, R, S, C / groups].
template <class T>
struct Kernels {
  using Line = const T*;
  const Geometry& geometry;
  const T* weights;  // the group's first kernel

  __device__ Radix depthRadix() const { return {geometry.windowWidth, geometry.groupChannels}; }

  __device__ Line line(int64_t kernel) const {
    const int elements = geometry.windowHeight * geometry.windowWidth * geometry.groupChannels;
    return kernel < geometry.groupKernels ? weights + kernel * elements : nullptr;
  }

  __device__ const T* address(const Line& line, const Digits& tap) const {
    if (line == nullptr || tap.high >= geometry.windowHeight) return nullptr;
    return line + (tap.high * geometry.windowWidth + tap.middle) * geometry.groupChannels + tap.low;
  }
};

template <class Tile, class T, bool kVector>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks)
    conv2dForwardKernel(const T* input, const T* weights, Geometry geometry, Depth depth, Epilogue epilogue) {
  const Block<Tile> block(geometry.groups, depth);
  const int64_t elements = geometry.windowHeight * geometry.windowWidth * geometry.groupChannels;
  const Windows<T> windows{geometry, input + block.group * geometry.groupChannels};
  const Kernels<T> kernels{geometry, weights + block.group * geometry.groupKernels * elements};
  AlongDepth<Tile, Tile::kRows, T, kVector, Windows<T>> left(windows, block.row, block.depth);
  AlongDepth<Tile, Tile::kColumns, T, kVector, Kernels<T>> right(kernels, block.column, block.depth);
  Sums<Tile> sums = {};
  multiply<Tile>(left, right, block.steps, block.position, sums);
  const int64_t firstColumn = static_cast<int64_t>(block.group) * geometry.groupKernels;
  finishTile<Tile>(partOf(epilogue, block.part), block.position, block.row, geometry.outputPixels(),
                   firstColumn + block.column, firstColumn + geometry.groupKernels, sums);
}

}  // namespace

void conv2dForward(const Conv2d& operation, Context& context) {
  if (isConv1(operation.weights, operation.shape)) return conv1Forward(operation, context);
  const Geometry geometry =
      geometryOf(Conv2d::name, operation.input, operation.weights, operation.output, operation.shape);
  const int64_t depth = operation.weights.elements() / geometry.kernels;
  const bool vector = inPieces(operation.input, geometry.groupChannels) &&
                      inPieces(operation.weights, geometry.groupChannels);
  const Product product{geometry.outputPixels(), geometry.groupKernels, depth, geometry.groups, vector};
  Epilogue epilogue = epilogueOf(operation.output, geometry.kernels, geometry.groupKernels);
  epilogue.activation = operation.activation;
  addBias(epilogue, operation.bias);
  addAddend(epilogue, operation.addend);
  launchProduct(product, epilogue, context, [&](const Division& division, const Epilogue& end) {
    const auto launchInstance = [&](auto instance) {
      using Chosen = decltype(instance);
      using T = typename Chosen::Type;
      using Tile = typename Chosen::Tile;
      launchTiles<Tile>("conv2dForwardKernel", conv2dForwardKernel<Tile, T, Chosen::kVector>, product, division, end,
                        context, operation.input.data<T>(), operation.weights.data<T>(), geometry);
    };
    if (operation.input.type == DataType::float32) withInstance<float>(vector, division.large, launchInstance);
    else withInstance<__nv_bfloat16>(vector, division.large, launchInstance);
  });
}

}  // namespace alexnet::cuda
