// The first convolution forward: windows of 11 x 11 on 3 channels, 4 pixels apart.                       paper 3.5
//   output[n,p,q,k] = activation(bias[k] + sum over r,s,c of input[n, 4 p + r - padTop, 4 q + s - padLeft, c]
//                                                            * weights[k,r,s,c] + addend[n,p,q,k])
//   input [N, H, W, 3], weights [K, 11, 11, 3] fp32 or bf16; output [N, P, Q, K] that type or fp32; bias [K],
//   addend [N, P, Q, K] fp32
// Mapping   a block has 4 rows of output, one a warp, 56 pixels wide, and 48 kernels. For each window row r it stages 4
//           rows of input (cuda/kernels/conv1.cuh) and row r of the kernels. A lane sums pixels q, q + 8 .. q + 48 times
//           12 kernels; lanes of neighbouring pixels are 48 bytes apart, free of bank conflicts for 16-byte reads. Single
//           buffering: other blocks of the multiprocessor multiply while one stages. grid.x: pictures, y: kernels.
// Requires  conv1's shape (cuda/kernels/conv1.h). 16-byte loads where rows and pads allow them, as AlexNet's do.
// Bound     arithmetic.
// Checked   test/ops/conv2d.test.ts
#include "conv1.cuh"

namespace alexnet::cuda {
namespace {

using namespace conv1;

constexpr int kRows = 4;
constexpr int kThreads = 32 * kRows;
constexpr int kLanePixels = kPixels / 8;
constexpr int kLaneKernels = kKernels / 4;
constexpr int kPitch = 52;  // 48 padded: a warp's stores, 8 values of 4 kernels, hit 32 banks

// Row r of the block's kernels [48, 33], stored as [33, 48].
template <class T>
__device__ void stageKernels(const T* weights, int r, int firstKernel, int kernels, float* staged) {
  for (int k = static_cast<int>(threadIdx.x) / 8; k < kKernels; k += kThreads / 8) {
    const T* const row = weights + (static_cast<int64_t>(firstKernel + k) * kWindow + r) * kRowValues;
    for (int j = static_cast<int>(threadIdx.x) % 8; j < kRowValues; j += 8) {
      staged[j * kPitch + k] = firstKernel + k < kernels ? widen(row[j]) : 0.0F;
    }
  }
}

using LaneSums = float[kLanePixels][kLaneKernels];

// Adds value `j` of each of the lane's windows times that of each of its kernels.
__device__ inline void addProducts(const float (&values)[kLanePixels], const float* kernels, LaneSums& sums) {
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

// A row of the windows, 33 values: 8 times 4, and the last.
__device__ inline void addRow(const float* segment, const float* kernels, LaneSums& sums) {
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
__global__ void __launch_bounds__(kThreads)
    conv1ForwardKernel(const T* input, const T* weights, ConvGeometry geometry, bool pieces, int rowTiles,
                       int pixelTiles, Epilogue epilogue) {
  __shared__ float4 segments[kRows][kSegment / 4];
  __shared__ float4 kernels[kRowValues * kPitch / 4];
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int lanePixel = static_cast<int>(threadIdx.x) % 8;
  const int laneKernel = static_cast<int>(threadIdx.x) % 32 / 8 * kLaneKernels;
  const int firstPixel = static_cast<int>(blockIdx.x % pixelTiles) * kPixels;
  const int p = static_cast<int>(blockIdx.x / pixelTiles % rowTiles) * kRows + warp;
  const int image = static_cast<int>(blockIdx.x / pixelTiles / rowTiles);
  const int firstKernel = static_cast<int>(blockIdx.y) * kKernels;
  float* const segment = reinterpret_cast<float*>(segments[warp]);
  float* const staged = reinterpret_cast<float*>(kernels);

  LaneSums sums = {};
  for (int r = 0; r < kWindow; ++r) {
    __syncthreads();  // everyone has read the last row
    stageRow(input, geometry, image, 4 * p + r - geometry.padTop, kStep * firstPixel - 3 * geometry.padLeft, pieces,
             segment);
    stageKernels(weights, r, firstKernel, geometry.kernels, staged);
    __syncthreads();
    addRow(segment + kStep * lanePixel, staged + laneKernel, sums);
  }

  if (p >= geometry.outputHeight) return;
  const int64_t firstRow = (static_cast<int64_t>(image) * geometry.outputHeight + p) * geometry.outputWidth;
#pragma unroll 1  // as in finishTile (cuda/gemm/tile.cuh)
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

template <class T>
void launchOf(const Conv2d& operation, Context& context) {
  const ConvGeometry geometry =
      geometryOf(Conv2d::name, operation.input, operation.weights, operation.output, operation.shape);
  const int64_t pixelTiles = ceilingOf(geometry.outputWidth, kPixels);
  const int64_t rowTiles = ceilingOf(geometry.outputHeight, kRows);
  Epilogue epilogue = epilogueOf(operation.output, geometry.kernels, geometry.kernels);
  epilogue.activation = operation.activation;
  epilogue.bias = floatsOf(operation.bias);
  epilogue.addend = floatsOf(operation.addend);
  // Pictures are on grid.x, with their tiles: y and z end at 65,535.
  launch("conv1ForwardKernel", conv1ForwardKernel<T>,
         {geometry.images * rowTiles * pixelTiles, ceilingOf(geometry.kernels, kKernels)}, kThreads, context.stream(),
         operation.input.data<T>(), operation.weights.data<T>(), geometry,
         rowsAllowVectorLoads(operation.input, geometry), static_cast<int>(rowTiles), static_cast<int>(pixelTiles),
         epilogue);
}

}  // namespace

void conv1Forward(const Conv2d& operation, Context& context) {
  return operation.input.type == DataType::float32 ? launchOf<float>(operation, context)
                                                   : launchOf<__nv_bfloat16>(operation, context);
}

}  // namespace alexnet::cuda
