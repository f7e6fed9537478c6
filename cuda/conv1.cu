// The first convolution, windows of 11 x 11 on 3 channels, 4 pixels apart: forward and weight gradient. paper 3.5, Fig. 2
//   output[n,p,q,k] = activation(bias[k] + sum over r, j of input[n, 4 p + r - padTop, j of window q] * weights[k,r,j])
//   weightGradient[k,r,j] = sum over n,p,q of outputGradient[n,p,q,k] * input[n, 4 p + r - padTop, j of window q]
//   input [N, H, W, 3], weights [K, 11, 11, 3], outputGradient [N, P, Q, K] fp32 or bf16; output [N, P, Q, K] that type
//   or fp32; weightGradient [K, 11, 11, 3], bias [K], addend [N, P, Q, K] fp32
// A window's row is 33 values j = 3 s + c that lie side by side in the input, and the next window's begins 12 values
// further on. So a row of the input is put into shared memory once, as it is, and read at 12 q + j: nothing is unrolled.
// Forward   a block has 4 rows of output, one a warp, 56 pixels wide (of 55), and 48 kernels. For each r it stages its 4
//           rows of input and the kernels' row r. A lane holds pixels q, q + 8 .. q + 48 times 12 kernels: the 8 lanes
//           that read different pixels are 48 bytes apart, which 16-byte reads take without a bank conflict.
// Weights   a block has 48 kernels, a warp for each r, and walks over a share of the rows of output. A lane holds the taps
//           s, s + 4, s + 8 (s < 4) of its row times 6 kernels. Tap s + 4 of window q is tap s of window q + 1, so it
//           stays in registers: each pixel costs 3 reads of input and 3 of gradients for 54 products. The blocks' shares
//           are added up in a fixed order (cuda/reduce.h).
// Requires  nothing more than conv1's shape (cuda/conv1.h).
// Bound     arithmetic.
// Checked   test/cuda/kernels.test.ts: no spills, no stack.
#include "conv1.h"

#include <algorithm>

#include "conv2d.h"
#include "geometry.cuh"
#include "launch.cuh"
#include "reduce.h"

namespace alexnet::cuda {
namespace {

constexpr int kWindow = 11;
constexpr int kRowValues = 3 * kWindow;                           // of a window's row
constexpr int kStep = 12;                                         // values from one window to the next
constexpr int kPixels = 56;                                       // of a row of output, for a block
constexpr int kKernels = 48;                                      // for a block
constexpr int kSegment = kStep * (kPixels - 1) + kRowValues + 3;  // of an input's row; a multiple of 4

// A run of a picture's row [W, 3] into shared memory, from value `first` of the row on; zeros where there is none.
template <class T>
__device__ void stageRow(const T* input, const Geometry& geometry, int image, int y, int first, float* segment,
                         unsigned thread, unsigned threads) {
  const bool inside = y >= 0 && y < geometry.height;
  const T* const row = input + (static_cast<int64_t>(image) * geometry.height + y) * geometry.rowElements;
  for (int i = static_cast<int>(thread); i < kSegment; i += static_cast<int>(threads)) {
    const int value = first + i;
    segment[i] = inside && value >= 0 && value < geometry.rowElements ? widen(row[value]) : 0.0F;
  }
}

constexpr int kForwardRows = 4;
constexpr int kForwardThreads = 32 * kForwardRows;
constexpr int kLanePixels = kPixels / 8;
constexpr int kLaneKernels = kKernels / 4;
constexpr int kPitch = 52;  // of kernels in shared memory: 8 values of 4 kernels are stored to 32 banks

// Row r of the block's kernels [48, 33], stored as [33, 48].
template <class T>
__device__ void stageKernels(const T* weights, int r, int firstKernel, int kernels, float* staged) {
  for (int k = static_cast<int>(threadIdx.x) / 8; k < kKernels; k += kForwardThreads / 8) {
    const T* const row = weights + (static_cast<int64_t>(firstKernel + k) * kWindow + r) * kRowValues;
    for (int j = static_cast<int>(threadIdx.x) % 8; j < kRowValues; j += 8) {
      staged[j * kPitch + k] = firstKernel + k < kernels ? widen(row[j]) : 0.0F;
    }
  }
}

using ForwardSums = float[kLanePixels][kLaneKernels];

// Adds value `j` of each of the lane's windows times that of each of its kernels.
__device__ inline void addProducts(const float (&values)[kLanePixels], const float* kernels, ForwardSums& sums) {
  float weights[kLaneKernels];
#pragma unroll
  for (int i = 0; i < kLaneKernels; i += 4) {
    float four[4];
    load4(kernels + i, four);
#pragma unroll
    for (int j = 0; j < 4; ++j) weights[i + j] = four[j];
  }
#pragma unroll
  for (int i = 0; i < kLanePixels; ++i) {
#pragma unroll
    for (int k = 0; k < kLaneKernels; ++k) sums[i][k] = fmaf(values[i], weights[k], sums[i][k]);
  }
}

// A row of the windows: 8 times 4 values, and the last.
__device__ inline void addRow(const float* segment, const float* kernels, ForwardSums& sums) {
  float values[kLanePixels];
#pragma unroll 1
  for (int j = 0; j + 4 <= kRowValues; j += 4) {
    float fours[kLanePixels][4];
#pragma unroll
    for (int i = 0; i < kLanePixels; ++i) load4(segment + 8 * kStep * i + j, fours[i]);
#pragma unroll
    for (int part = 0; part < 4; ++part) {
#pragma unroll
      for (int i = 0; i < kLanePixels; ++i) values[i] = fours[i][part];
      addProducts(values, kernels + (j + part) * kPitch, sums);
    }
  }
#pragma unroll
  for (int i = 0; i < kLanePixels; ++i) values[i] = segment[8 * kStep * i + kRowValues - 1];
  addProducts(values, kernels + (kRowValues - 1) * kPitch, sums);
}

template <class T>
__global__ void __launch_bounds__(kForwardThreads)
    conv1ForwardKernel(const T* input, const T* weights, Geometry geometry, int rowTiles, int pixelTiles,
                       Epilogue epilogue) {
  __shared__ float4 segments[kForwardRows][kSegment / 4];
  __shared__ float4 kernels[kRowValues * kPitch / 4];
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int lanePixel = static_cast<int>(threadIdx.x) % 8;
  const int laneKernel = static_cast<int>(threadIdx.x) % 32 / 8 * kLaneKernels;
  const int firstPixel = static_cast<int>(blockIdx.x % pixelTiles) * kPixels;
  const int p = static_cast<int>(blockIdx.x / pixelTiles % rowTiles) * kForwardRows + warp;
  const int image = static_cast<int>(blockIdx.x / pixelTiles / rowTiles);
  const int firstKernel = static_cast<int>(blockIdx.y) * kKernels;
  float* const segment = reinterpret_cast<float*>(segments[warp]);
  float* const staged = reinterpret_cast<float*>(kernels);

  ForwardSums sums = {};
  for (int r = 0; r < kWindow; ++r) {
    __syncthreads();  // everyone has read the last row
    stageRow(input, geometry, image, 4 * p + r - geometry.padTop, kStep * firstPixel - 3 * geometry.padLeft, segment,
             threadIdx.x % 32, 32);
    stageKernels(weights, r, firstKernel, geometry.kernels, staged);
    __syncthreads();
    addRow(segment + kStep * lanePixel, staged + laneKernel, sums);
  }

  if (p >= geometry.outputHeight) return;
  const int64_t firstRow = (static_cast<int64_t>(image) * geometry.outputHeight + p) * geometry.outputWidth;
#pragma unroll 1  // as in finishTile (cuda/tile.cuh)
  for (int i = 0; i < kLanePixels; ++i) {
    const int q = firstPixel + lanePixel + 8 * i;
#pragma unroll
    for (int k = 0; k < kLaneKernels; k += 4) {
      const float four[4] = {sums[0][k], sums[0][k + 1], sums[0][k + 2], sums[0][k + 3]};
      if (q < geometry.outputWidth)
        finish(epilogue, firstRow + q, firstKernel + laneKernel + k, geometry.kernels, four);
    }
#pragma unroll
    for (int j = 0; j + 1 < kLanePixels; ++j) {
#pragma unroll
      for (int k = 0; k < kLaneKernels; ++k) sums[j][k] = sums[j + 1][k];
    }
  }
}

constexpr int kWeightThreads = 32 * kWindow;
constexpr int kLaneGradients = kKernels / 8;
constexpr int kTaps = 3;  // s, s + 4, s + 8

// Gradients of a row of output [56, K] for the block's kernels; zeros where there is none.
template <class T>
__device__ void stageGradients(const T* gradient, const Geometry& geometry, int64_t firstPixel, int pixels,
                               int firstKernel, float* staged) {
  for (int i = static_cast<int>(threadIdx.x); i < kPixels * kKernels; i += kWeightThreads) {
    const int q = i / kKernels, k = firstKernel + i % kKernels;
    staged[i] = q < pixels && k < geometry.kernels ? widen(gradient[(firstPixel + q) * geometry.kernels + k]) : 0.0F;
  }
}

using WeightSums = float[3 * kTaps][kLaneGradients];

// Adds the products of `pixels` windows. The taps that a window shares with the next one move down.
__device__ inline void addPixels(const float* segment, const float* gradients, int pixels, WeightSums& sums) {
  float taps[3 * kTaps];
#pragma unroll
  for (int i = 0; i < 6; ++i) taps[3 + i] = segment[i / 3 * kStep + i % 3];
#pragma unroll 3  // after three, the taps are where they began
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

// A unit is a row of output, or 56 pixels of one: [image, p, pixelTile]. `parts` [blocks in x, K, 11, 11, 3] fp32.
template <class T>
__global__ void __launch_bounds__(kWeightThreads)
    conv1BackwardWeightsKernel(const T* gradient, const T* input, Geometry geometry, int64_t units,
                               int64_t unitsOfBlock, int pixelTiles, float* parts) {
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

  WeightSums sums = {};
  for (int64_t unit = first; unit < end; ++unit) {
    const int firstPixel = static_cast<int>(unit % pixelTiles) * kPixels;
    const int64_t row = unit / pixelTiles;
    const int p = static_cast<int>(row % geometry.outputHeight);
    const int image = static_cast<int>(row / geometry.outputHeight);
    const int pixels = min(kPixels, geometry.outputWidth - firstPixel);
    __syncthreads();  // everyone has read the last unit
    stageRow(input, geometry, image, 4 * p + r - geometry.padTop, kStep * firstPixel - 3 * geometry.padLeft, segment,
             threadIdx.x % 32, 32);
    stageGradients(gradient, geometry, row * geometry.outputWidth + firstPixel, pixels, firstKernel, staged);
    __syncthreads();
    addPixels(segment + 3 * s, staged + laneKernel, pixels, sums);
  }

#pragma unroll
  for (int k = 0; k < kLaneGradients; ++k) {
    const int kernel = firstKernel + laneKernel + k;
    float* const part =
        parts + ((static_cast<int64_t>(blockIdx.x) * geometry.kernels + kernel) * kWindow + r) * kRowValues;
#pragma unroll
    for (int i = 0; i < 3 * kTaps; ++i) {
      const int tap = s + i / 3 * 4;  // the fourth lane's third tap is none
      if (kernel < geometry.kernels && tap < kWindow) part[3 * tap + i % 3] = sums[i][k];
    }
  }
}

int64_t tilesOf(int64_t size, int64_t tile) { return (size + tile - 1) / tile; }

template <class T>
void launchBackwardWeights(const Conv2dBackwardWeights& operation, Context& context) {
  const Tensor& weights = operation.weightGradient;
  const Geometry geometry =
      geometryOf(Conv2dBackwardWeights::name, operation.input, weights, operation.outputGradient, operation.shape);
  const int64_t pixelTiles = tilesOf(geometry.outputWidth, kPixels);
  const int64_t kernelTiles = tilesOf(geometry.kernels, kKernels);
  const int64_t units = static_cast<int64_t>(geometry.images) * geometry.outputHeight * pixelTiles;
  const int64_t places = std::max<int64_t>(1, 2 * context.limits().multiprocessors / kernelTiles);
  const int64_t unitsOfBlock = tilesOf(units, places);
  const int64_t blocks = tilesOf(units, unitsOfBlock);
  float* const parts = blocks == 1
                           ? weights.mutableData<float>()
                           : static_cast<float*>(context.scratch(static_cast<size_t>(blocks) * weights.bytes()));
  launch("conv1BackwardWeightsKernel", conv1BackwardWeightsKernel<T>, {blocks, kernelTiles}, kWeightThreads,
         context.stream(), operation.outputGradient.data<T>(), operation.input.data<T>(), geometry, units, unitsOfBlock,
         static_cast<int>(pixelTiles), parts);
  if (blocks == 1) return;
  sumParts(parts, blocks, weights.elements(), epilogueOf(weights, geometry.kernelElements, 1), context);
}

template <class T>
void launchForward(const Conv2d& operation, Context& context) {
  const Geometry geometry =
      geometryOf(Conv2d::name, operation.input, operation.weights, operation.output, operation.shape);
  const int64_t pixelTiles = tilesOf(geometry.outputWidth, kPixels);
  const int64_t rowTiles = tilesOf(geometry.outputHeight, kForwardRows);
  Epilogue epilogue = epilogueOf(operation.output, geometry.kernels, geometry.kernels);
  epilogue.activation = operation.activation;
  epilogue.bias = floatsOf(operation.bias);
  epilogue.addend = floatsOf(operation.addend);
  // Pictures ride grid.x with their tiles: y and z stop at 65,535.
  launch("conv1ForwardKernel", conv1ForwardKernel<T>,
         {geometry.images * rowTiles * pixelTiles, tilesOf(geometry.kernels, kKernels)}, kForwardThreads,
         context.stream(), operation.input.data<T>(), operation.weights.data<T>(), geometry, static_cast<int>(rowTiles),
         static_cast<int>(pixelTiles), epilogue);
}

}  // namespace

void conv1Forward(const Conv2d& operation, Context& context) {
  return operation.input.type == DataType::float32 ? launchForward<float>(operation, context)
                                                   : launchForward<__nv_bfloat16>(operation, context);
}

void conv1BackwardWeights(const Conv2dBackwardWeights& operation, Context& context) {
  return operation.input.type == DataType::float32 ? launchBackwardWeights<float>(operation, context)
                                                   : launchBackwardWeights<__nv_bfloat16>(operation, context);
}

}  // namespace alexnet::cuda
