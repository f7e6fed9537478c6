// The input gradient of a convolution on tensor cores, and with windows of one pixel of a fully connected layer. paper 3.5
//   as conv2d_backward_input.cu has it, with stride 1, in bf16, or in fp32 multiplied in TF32
// Implicit GEMM: M is the input's pixels N H W, N a group's channels, K (the depth) R S K / groups. Each input pixel
// gathers the taps that it took part in. The weights are read as they lie, [k, r, s, c]: a K step's lines of c are a
// kernel apart from each other in memory, and are transposed on their way to the tensor cores.
// Mapping   a block is a tile (cuda/gemm/mma/tile.cuh). grid.x: pixels, y: channels, z: groups, times the splits of split-K.
// Requires  compute capability 8.0; C / groups and K / groups multiples of 8, in fp32 of 4; windows of at most 32 pixels,
//           stride 1, starts on 16 bytes.
// Bound     arithmetic of the tensor cores; L2 for conv2, whose 48 channels make a narrow tile.
// Checked   test/ops/conv2d.test.ts, test/ops/linear.test.ts
#include "../gemm/mma/gemm.cuh"
#include "conv2d_mma.h"
#include "windows_mma.h"

namespace alexnet::cuda::mma {
// Lines of the right operand: a group's channels in weights [K / groups, R, S, C / groups], at depth (r, s, k).
struct Channels {
  using Entry = int;
  int windowHeight, windowWidth, channels, kernelElements;
  Radix taps;
  int first;  // channel of this thread's piece

  __device__ const Radix& radix() const { return taps; }
  __device__ Entry at(const Digits& tap) const {
    if (tap.high >= windowHeight) return -1;
    return tap.low * kernelElements + (tap.high * windowWidth + tap.middle) * channels;
  }
  __device__ bool find(Entry entry, int& offset) const {
    offset = entry + first;
    return entry >= 0 && first < channels;
  }
};

namespace {

template <class T>
__global__ void __launch_bounds__(T::kThreads, T::kBlocks)
    conv2dBackwardInputMmaKernel(const ElementOf<T>* gradient, const ElementOf<T>* weights, Gather gather,
                                 Channels channels, int groupKernels, GemmParams params, Epilogue epilogue) {
  if constexpr (kHasTensorCores) {
    extern __shared__ uint4 shared[];
    using Right = Table<T, T::kColumns, Channels>;
    const Block<T> block(params);
    const int64_t firstColumn = block.group * params.columns;
    const int firstKernel = block.group * groupKernels;
    channels.first = static_cast<int>(block.column) + Right::firstOfPiece();
    Windows<T, T::kRows, true> left(gather, gradient + firstKernel, block.row, block.depth);
    Right right(channels, weights + static_cast<int64_t>(firstKernel) * channels.kernelElements, block.depth);
    Sums<T> sums = {};
    NoRowSums<T> none;
    multiply<T>(left, right, block.steps, params.stages, shared, sums, none);
    finishTile<T>(partialOf(epilogue, block.split),
                  {block.row, params.rows, firstColumn + block.column, firstColumn + params.columns}, shared, sums);
  }
}

}  // namespace

bool takes(const Conv2dBackwardInput& operation, const Context& context) {
  const Tensor& weights = operation.weights;
  return multiplies(weights.type, operation.tf32, context) && operation.shape.stride == 1 &&
         suits(operation.outputGradient, weights.dimension(0) / operation.shape.groups) &&
         suits(weights, weights.dimension(3)) && operation.inputGradient.elements() < kMostElements &&
         weights.dimension(1) * weights.dimension(2) <= kMostTaps;
}

namespace {

template <class Element>
void launchGradient(const Conv2dBackwardInput& operation, const ConvGeometry& geometry, Context& context) {
  const Radix taps = radixOf(geometry.windowWidth, geometry.groupKernels, kStepOf<Element>);
  const Gather gather{geometry.images,
                      geometry.height,
                      geometry.width,
                      geometry.outputHeight,
                      geometry.outputWidth,
                      geometry.kernels,
                      1,
                      geometry.padTop,
                      geometry.padLeft,
                      geometry.windowHeight,
                      geometry.windowWidth,
                      taps};
  const Channels channels{
      geometry.windowHeight, geometry.windowWidth, geometry.groupChannels, geometry.kernelElements, taps, 0};
  const int64_t pixels = operation.inputGradient.elements() / geometry.channels;
  const int64_t depth = operation.weights.elements() / geometry.groups / geometry.groupChannels;
  const Gemm gemm{pixels, geometry.groupChannels, depth, geometry.groups, typeOf<Element>, true};
  const Epilogue epilogue = epilogueOf(operation.inputGradient, geometry.channels, geometry.groupChannels);
  launchGemm<Element, Rows, Deep>(gemm, epilogue, context, [&](const auto& launch) {
    launch("conv2dBackwardInputMmaKernel", conv2dBackwardInputMmaKernel<typename std::decay_t<decltype(launch)>::Tile>,
           operation.outputGradient.data<Element>(), operation.weights.data<Element>(), gather, channels,
           geometry.groupKernels);
  });
}

}  // namespace

void conv2dBackwardInputMma(const Conv2dBackwardInput& operation, Context& context) {
  const ConvGeometry geometry = geometryOf(Conv2dBackwardInput::name, operation.inputGradient, operation.weights,
                                           operation.outputGradient, operation.shape);
  withElement(operation.weights.type,
              [&](auto element) { launchGradient<decltype(element)>(operation, geometry, context); });
}

}  // namespace alexnet::cuda::mma
