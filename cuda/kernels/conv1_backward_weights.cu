// The weight gradient of the first convolution: windows of 11 x 11 on 3 channels, 4 pixels apart.         paper 3.5
//   weightGradient[k,r,s,c] = sum over n,p,q of outputGradient[n,p,q,k] * input[n, 4 p + r - padTop, 4 q + s - padLeft, c]
//   input [N, H, W, 3], outputGradient [N, P, Q, K] fp32 or bf16; weightGradient [K, 11, 11, 3] fp32
// Mapping   a block has 48 kernels, a warp for each window row r, and a share of the output's rows: it stages inputs and
//           gradients of 56 pixels at a time. A lane sums taps s, s + 4, s + 8 (s < 4) of its r times 6 kernels. Tap
//           s + 4 of window q is tap s of window q + 1 and stays in a register: 3 reads of input and 3 of gradients for
//           54 products. One tap in twelve is beyond the window and dropped. grid.x: shares, y: kernels. The partial
//           sums of the shares are added up in a fixed order (cuda/gemm/reduce.h).
// Requires  conv1's shape (cuda/kernels/conv1.h). 16-byte loads where rows, pads and K allow them, as AlexNet's do.
// Bound     arithmetic.
// Checked   test/ops/conv2d.test.ts
#include <algorithm>

#include "../gemm/reduce.h"
#include "conv1.cuh"

namespace alexnet::cuda {
namespace {

using namespace conv1;

constexpr int kThreads = 32 * kWindow;
constexpr int kLaneGradients = kKernels / 8;
static_assert(2 * sizeof(float) * kKernels * kWindow * kRowValues <= kScratchPerProcessor, "scratch of two blocks");
constexpr int kTaps = 3;  // s, s + 4, s + 8

// Gradients of a row of output [56, K] for the block's kernels; zeros where there is none.
template <class T>
__device__ void stageGradients(const T* gradient, const ConvGeometry& geometry, int64_t firstPixel, int pixels,
                               int firstKernel, bool pieces, float* staged) {
  const int values = pieces ? static_cast<int>(16 / sizeof(T)) : 1;
  for (int i = static_cast<int>(threadIdx.x) * values; i < kPixels * kKernels; i += kThreads * values) {
    const int q = i / kKernels, k = firstKernel + i % kKernels;
    const bool exists = q < pixels && k < geometry.kernels;
    const T* const source = gradient + (firstPixel + q) * geometry.kernels + k;
    if (pieces) {
      stagePiece(source, exists, staged + i);
    } else {
      staged[i] = exists ? widen(*source) : 0.0F;
    }
  }
}

using LaneSums = float[3 * kTaps][kLaneGradients];

// Adds the products of `pixels` windows. Taps that the next window shares move down.
__device__ inline void addPixels(const float* segment, const float* gradients, int pixels, LaneSums& sums) {
  float taps[3 * kTaps];
#pragma unroll
  for (int i = 0; i < 6; ++i) taps[3 + i] = segment[i / 3 * kStep + i % 3];
#pragma unroll 3  // after three, taps are in the registers where they began: no moves
  for (int q = 0; q < pixels; ++q) {
    float values[kLaneGradients];
#pragma unroll
    for (int k = 0; k < kLaneGradients; k += 2) {
      const float2 two = *reinterpret_cast<const float2*>(gradients + q * kKernels + k);
      values[k] = two.x, values[k + 1] = two.y;
    }
#pragma unroll
    for (int i = 0; i < 6; ++i) taps[i] = taps[i + 3];
#pragma unroll
    for (int c = 0; c < 3; ++c) taps[6 + c] = segment[(q + 2) * kStep + c];
#pragma unroll
    for (int i = 0; i < 3 * kTaps; ++i) {
#pragma unroll
      for (int k = 0; k < kLaneGradients; ++k) sums[i][k] = fmaf(taps[i], values[k], sums[i][k]);
    }
  }
}

// A unit is up to 56 pixels of an output row: [image, p, pixelTile]. `partials` [gridDim.x, K, 11, 11, 3] fp32.
template <class T>
__global__ void __launch_bounds__(kThreads)
    conv1BackwardWeightsKernel(const T* gradient, const T* input, ConvGeometry geometry, bool pieces,
                               bool gradientPieces, int64_t units, int64_t unitsOfBlock, int pixelTiles,
                               float* partials) {
  __shared__ float4 segments[kWindow][kSegment / 4];
  __shared__ float4 gradients[kPixels * kKernels / 4];
  const int r = static_cast<int>(threadIdx.x) / 32;
  const int s = static_cast<int>(threadIdx.x) % 32 / 8;
  const int laneKernel = static_cast<int>(threadIdx.x) % 8 * kLaneGradients;
  const int firstKernel = static_cast<int>(blockIdx.y) * kKernels;
  float* const segment = reinterpret_cast<float*>(segments[r]);
  float* const staged = reinterpret_cast<float*>(gradients);
  const int64_t first = blockIdx.x * unitsOfBlock;
  const int64_t end = min(first + unitsOfBlock, units);

  LaneSums sums = {};
  for (int64_t unit = first; unit < end; ++unit) {
    const int firstPixel = static_cast<int>(unit % pixelTiles) * kPixels;
    const int64_t row = unit / pixelTiles;
    const int p = static_cast<int>(row % geometry.outputHeight);
    const int image = static_cast<int>(row / geometry.outputHeight);
    const int pixels = min(kPixels, geometry.outputWidth - firstPixel);
    __syncthreads();  // everyone has read the last unit
    stageRow(input, geometry, image, 4 * p + r - geometry.padTop, kStep * firstPixel - 3 * geometry.padLeft, pieces,
             segment);
    stageGradients(gradient, geometry, row * geometry.outputWidth + firstPixel, pixels, firstKernel, gradientPieces,
                   staged);
    __syncthreads();
    addPixels(segment + 3 * s, staged + laneKernel, pixels, sums);
  }

#pragma unroll
  for (int k = 0; k < kLaneGradients; ++k) {
    const int kernel = firstKernel + laneKernel + k;
    float* const partial =
        partials + ((static_cast<int64_t>(blockIdx.x) * geometry.kernels + kernel) * kWindow + r) * kRowValues;
#pragma unroll
    for (int i = 0; i < 3 * kTaps; ++i) {
      const int tap = s + i / 3 * 4;  // 11, for s = 3, is beyond the window
      if (kernel < geometry.kernels && tap < kWindow) partial[3 * tap + i % 3] = sums[i][k];
    }
  }
}

template <class T>
void launchOf(const Conv2dBackwardWeights& operation, Context& context) {
  const Tensor& weights = operation.weightGradient;
  const ConvGeometry geometry =
      geometryOf(Conv2dBackwardWeights::name, operation.input, weights, operation.outputGradient, operation.shape);
  const int64_t pixelTiles = ceilingOf(geometry.outputWidth, kPixels);
  const int64_t kernelTiles = ceilingOf(geometry.kernels, kKernels);
  const int64_t units = static_cast<int64_t>(geometry.images) * geometry.outputHeight * pixelTiles;
  const int64_t places = std::max<int64_t>(1, 2 * context.limits().multiprocessors / kernelTiles);
  const int64_t unitsOfBlock = ceilingOf(units, places);
  const int64_t blocks = ceilingOf(units, unitsOfBlock);
  float* const partials = blocks == 1
                              ? weights.mutableData<float>()
                              : static_cast<float*>(context.scratch(static_cast<size_t>(blocks) * weights.bytes()));
  launch("conv1BackwardWeightsKernel", conv1BackwardWeightsKernel<T>, {blocks, kernelTiles}, kThreads, context.stream(),
         operation.outputGradient.data<T>(), operation.input.data<T>(), geometry,
         rowsAllowVectorLoads(operation.input, geometry), allowsVectorLoads(operation.outputGradient, geometry.kernels),
         units, unitsOfBlock, static_cast<int>(pixelTiles), partials);
  if (blocks == 1) return;
  sumPartials(partials, blocks, weights.elements(), epilogueOf(weights, geometry.kernelElements, 1), context);
}

}  // namespace

void conv1BackwardWeights(const Conv2dBackwardWeights& operation, Context& context) {
  return operation.input.type == DataType::float32 ? launchOf<float>(operation, context)
                                                   : launchOf<__nv_bfloat16>(operation, context);
}

}  // namespace alexnet::cuda
