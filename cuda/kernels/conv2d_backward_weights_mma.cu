// The weight gradient of a convolution on tensor cores, and with windows of one pixel of a fully connected layer. paper 3.5
//   as conv2d_backward_weights.cu has it, of input and outputGradient in bf16, or in fp32 multiplied in TF32
// Implicit GEMM: M is a group's kernels, N R S C / groups, K (the depth) the output's pixels N P Q. Both operands lie
// with the depth as lines, and are transposed on their way to the tensor cores. The bias gradient is one more column, of
// ones, by which every block multiplies the gradient; those that have the first columns store it.
// Mapping   a block is a tile (cuda/gemm/mma/tile.cuh). grid.x: kernels, y: taps, z: groups times the splits of split-K.
// Requires  compute capability 8.0; C / groups and K / groups multiples of 8, in fp32 of 4; starts on 16 bytes.
// Bound     arithmetic of the tensor cores; for a fully connected layer of few pictures the gradient's bytes.
// Checked   test/ops/conv2d.test.ts, test/ops/linear.test.ts
#include "../gemm/mma/gemm.cuh"
#include "conv2d_mma.h"
#include "windows_mma.h"

namespace alexnet::cuda::mma {
// Lines of the right operand: a group's taps (r, s, c) in the input [N, H, W, C], at depth (n, p, q).
struct Taps {
  // Where the pixel's window begins: an offset, row and column in its picture.
  struct Entry {
    int offset, top, left;
  };
  int images, height, width, channels;
  int stride, padTop, padLeft;
  Radix pixels;
  // Of this thread's piece: its tap, and where it lies from the window's first on.
  int tapRow, tapColumn, tapOffset;

  __device__ void take(const Digits& tap, bool exists) {
    tapRow = exists ? tap.high : INT32_MIN / 2;
    tapColumn = tap.middle;
    tapOffset = (tap.high * width + tap.middle) * channels + tap.low;
  }
  __device__ const Radix& radix() const { return pixels; }
  __device__ Entry at(const Digits& pixel) const {
    if (pixel.high >= images) return {0, INT32_MIN / 2, 0};
    const int top = pixel.middle * stride - padTop, left = pixel.low * stride - padLeft;
    return {((pixel.high * height + top) * width + left) * channels, top, left};
  }
  __device__ bool find(const Entry& entry, int& offset) const {
    offset = entry.offset + tapOffset;
    return static_cast<unsigned>(entry.top + tapRow) < static_cast<unsigned>(height) &&
           static_cast<unsigned>(entry.left + tapColumn) < static_cast<unsigned>(width);
  }
};

namespace {

template <class T>
__global__ void __launch_bounds__(T::kThreads, T::kBlocks)
    conv2dBackwardWeightsMmaKernel(const ElementOf<T>* gradient, const ElementOf<T>* input, Taps taps, Radix window,
                                   int64_t pixels, int kernels, int groupChannels, float* bias, GemmParams params,
                                   Epilogue epilogue) {
  if constexpr (kHasTensorCores) {
    extern __shared__ uint4 shared[];
    using Right = Table<T, T::kColumns, Taps>;
    const Block<T> block(params);
    const int64_t firstRow = block.group * params.rows;
    const int64_t column = block.column + Right::firstOfPiece();
    taps.take(digitsOf(static_cast<unsigned>(column), window), column < params.columns);
    Matrix<T, T::kRows> left(gradient + firstRow, pixels, kernels, static_cast<int>(params.rows), block.row,
                             block.depth);
    Right right(taps, input + block.group * groupChannels, block.depth);
    Sums<T> sums = {};
    RowSums<T> biasSums;
    multiply<T>(left, right, block.steps, params.stages, shared, sums, biasSums);
    if (bias != nullptr && blockIdx.y == 0) {
      biasSums.store(bias + block.split * params.rows * params.groups, firstRow + block.row, firstRow + params.rows);
    }
    finishTile<T>(partialOf(epilogue, block.split),
                  {firstRow + block.row, firstRow + params.rows, block.column, params.columns}, shared, sums);
  }
}

}  // namespace

Gemm gradientGemm(const ConvGeometry& geometry, DataType type) {
  return {geometry.groupKernels, geometry.kernelElements, pixelsOf(geometry), geometry.groups, type, true};
}

template <class Element>
void sumWindows(const Element* gradient, const Element* input, const ConvGeometry& geometry, const ShapeTiling& tiling,
                const Gradients& gradients, Context& context) {
  const Gemm gemm = gradientGemm(geometry, typeOf<Element>);
  const Taps taps{geometry.images,
                  geometry.height,
                  geometry.width,
                  geometry.channels,
                  geometry.stride,
                  geometry.padTop,
                  geometry.padLeft,
                  radixOf(geometry.outputHeight, geometry.outputWidth, kStepOf<Element>),
                  0,
                  0,
                  0};
  const Epilogue epilogue = partialsOf(gemm, gemm.columns, gradients.weights);
  launchTiles<Element, Deep, Deep>(gemm, tiling, epilogue, context, [&](const auto& launch) {
    launch("conv2dBackwardWeightsMmaKernel",
           conv2dBackwardWeightsMmaKernel<typename std::decay_t<decltype(launch)>::Tile>, gradient, input, taps,
           geometry.inputTaps, pixelsOf(geometry), geometry.kernels, geometry.groupChannels, gradients.bias);
  });
}

template void sumWindows(const float*, const float*, const ConvGeometry&, const ShapeTiling&, const Gradients&,
                         Context&);
template void sumWindows(const __nv_bfloat16*, const __nv_bfloat16*, const ConvGeometry&, const ShapeTiling&,
                         const Gradients&, Context&);

bool takes(const Conv2dBackwardWeights& operation, const Context& context) {
  const Tensor& weights = operation.weightGradient;
  return multiplies(operation.input.type, operation.tf32, context) && suits(operation.input, weights.dimension(3)) &&
         suits(operation.outputGradient, weights.dimension(0) / operation.shape.groups) &&
         weights.elements() < kMostElements;
}

void conv2dBackwardWeightsMma(const Conv2dBackwardWeights& operation, Context& context) {
  const Tensor &weights = operation.weightGradient, &bias = operation.biasGradient;
  const ConvGeometry geometry =
      geometryOf(Conv2dBackwardWeights::name, operation.input, weights, operation.outputGradient, operation.shape);
  const Limits& limits = context.limits();
  const ShapeTiling tiling = chooseTile(gradientGemm(geometry, operation.input.type), limits, limits.partialBytes());
  const int64_t splits = tiling.tiling.splits;
  Gradients gradients{weights.mutableData<float>(), bias ? bias.mutableData<float>() : nullptr};
  if (splits > 1) {
    const int64_t elements = splits * (weights.elements() + geometry.kernels);
    gradients.weights = static_cast<float*>(context.scratch(static_cast<size_t>(elements) * sizeof(float)));
    if (bias) gradients.bias = gradients.weights + splits * weights.elements();
  }
  withElement(operation.input.type, [&](auto element) {
    using Element = decltype(element);
    sumWindows(operation.outputGradient.data<Element>(), operation.input.data<Element>(), geometry, tiling, gradients,
               context);
  });
  if (splits == 1) return;
  sumPartials(gradients.weights, splits, weights.elements(),
              epilogueOf(weights, geometry.kernelElements, geometry.kernelElements), context);
  if (bias) sumPartials(gradients.bias, splits, geometry.kernels, epilogueOf(bias, geometry.kernels, 1), context);
}

}  // namespace alexnet::cuda::mma
