// Convolution forward on tensor cores, and with windows of one pixel a fully connected layer.           paper 3.5
//   as conv2d_forward.cu has it, of input and weights in bf16, or in fp32 multiplied in TF32
// Implicit GEMM: M is pixels N P Q, N a group's kernels, K (the depth) R S C / groups. Windows are gathered on their way
// into shared memory (cuda/gemm/mma/loaders.cuh); no im2col matrix is written.
// Mapping   a block is a tile (cuda/gemm/mma/tile.cuh). grid.x: pixels (y and z end at 65,535), y: kernels, z: groups, times
//           the splits of split-K.
// Requires  compute capability 8.0; C / groups a multiple of 8, in fp32 of 4; windows of at most 32 pixels, starts on 16 bytes.
// Bound     arithmetic of the tensor cores; L2 for tiles that are narrow; for few pictures the weights' bytes.
// Checked   test/ops/conv2d.test.ts, test/ops/linear.test.ts
#include "../gemm/mma/gemm.cuh"
#include "conv2d_mma.h"
#include "windows_mma.h"

namespace alexnet::cuda::mma {
namespace {

template <class T>
__global__ void __launch_bounds__(T::kThreads, T::kBlocks)
    conv2dForwardMmaKernel(const ElementOf<T>* input, const ElementOf<T>* weights, Gather gather, int groupChannels,
                           int depth, GemmParams params, Epilogue epilogue) {
  if constexpr (kHasTensorCores) {
    extern __shared__ uint4 shared[];
    const Block<T> block(params);
    const int64_t firstColumn = block.group * params.columns;
    Windows<T, T::kRows, false> left(gather, input + block.group * groupChannels, block.row, block.depth);
    Kernels<T, T::kColumns> right(weights + firstColumn * depth, params.columns, depth, block.column, block.depth);
    Sums<T> sums = {};
    NoRowSums<T> none;
    multiply<T>(left, right, block.steps, params.stages, shared, sums, none);
    finishTile<T>(partialOf(epilogue, block.split),
                  {block.row, params.rows, firstColumn + block.column, firstColumn + params.columns}, shared, sums);
  }
}

}  // namespace

bool takes(const Conv2d& operation, const Context& context) {
  const Tensor& weights = operation.weights;
  return multiplies(weights.type, operation.tf32, context) && suits(operation.input, weights.dimension(3)) &&
         suits(weights, weights.dimension(3)) && operation.output.elements() < kMostElements &&
         weights.dimension(1) * weights.dimension(2) <= kMostTaps;
}

template <class Element>
void multiplyWindows(const Element* input, const Element* weights, const ConvGeometry& geometry,
                     const Epilogue& epilogue, Context& context) {
  const Gather gather{geometry.images,      geometry.outputHeight,
                      geometry.outputWidth, geometry.height,
                      geometry.width,       geometry.channels,
                      geometry.stride,      -geometry.padTop,
                      -geometry.padLeft,    geometry.windowHeight,
                      geometry.windowWidth, radixOf(geometry.windowWidth, geometry.groupChannels, kStepOf<Element>)};
  const Gemm gemm{pixelsOf(geometry), geometry.groupKernels, geometry.kernelElements,
                  geometry.groups,    typeOf<Element>,       true};
  launchGemm<Element, Rows, Rows>(gemm, epilogue, context, [&](const auto& launch) {
    launch("conv2dForwardMmaKernel", conv2dForwardMmaKernel<typename std::decay_t<decltype(launch)>::Tile>, input,
           weights, gather, geometry.groupChannels, geometry.kernelElements);
  });
}

template void multiplyWindows(const float*, const float*, const ConvGeometry&, const Epilogue&, Context&);
template void multiplyWindows(const __nv_bfloat16*, const __nv_bfloat16*, const ConvGeometry&, const Epilogue&,
                              Context&);

void conv2dForwardMma(const Conv2d& operation, Context& context) {
  const ConvGeometry geometry =
      geometryOf(Conv2d::name, operation.input, operation.weights, operation.output, operation.shape);
  Epilogue epilogue = epilogueOf(operation.output, geometry.kernels, geometry.groupKernels);
  epilogue.activation = operation.activation;
  epilogue.bias = floatsOf(operation.bias);
  epilogue.addend = floatsOf(operation.addend);
  withElement(operation.input.type, [&](auto element) {
    using Element = decltype(element);
    multiplyWindows(operation.input.data<Element>(), operation.weights.data<Element>(), geometry, epilogue, context);
  });
}

}  // namespace alexnet::cuda::mma
