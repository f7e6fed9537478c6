// Crop, mirror, PCA colour, minus the mean image.                                                             paper 4.1
//   output[n,h,w,c] = images[n, top+h, left+x, c] - mean[top+h, left+x, c] + colour[n,c],  x = w or W-1-w if mirrored
//   images [N, Y, X, 3] uint8, views [N, 6] fp32 (core/operations.h), mean [Y, X, 3] fp32, output [N, H, W, 3] fp32 or bf16
// Mapping   a block takes a part of one row of the output, seen as [3 W], a thread 4 neighbouring values of it.
// Requires  crops that lie within their pictures; 4 values are stored in one piece where they are aligned.
// Bound     memory: reads the crop's bytes and writes the output once; the mean image stays in the L2 cache.
// Checked   test/ops/augment.test.ts
#include <string>

#include "../runtime/launch.cuh"
#include "../runtime/vector.cuh"
#include "operations.h"

namespace alexnet::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kValues = 4;

struct AugmentGeometry {
  int imageHeight, imageWidth, height, width;
  unsigned tiles;  // blocks that share a row
};

template <class T>
__global__ void __launch_bounds__(kThreads)
    augmentKernel(const uint8_t* __restrict__ images, const float* __restrict__ views, const float* __restrict__ mean,
                  T* __restrict__ output, AugmentGeometry geometry, bool wide) {
  const int rowLength = 3 * geometry.width;
  const unsigned row = blockIdx.x / geometry.tiles;  // of N * H
  const int begin = static_cast<int>(blockIdx.x % geometry.tiles * kThreads + threadIdx.x) * kValues;
  if (begin >= rowLength) return;
  const unsigned n = row / static_cast<unsigned>(geometry.height);
  const float* const view = views + static_cast<int64_t>(n) * 6;
  const int64_t y = static_cast<int64_t>(view[0]) + row % static_cast<unsigned>(geometry.height);
  const int left = static_cast<int>(view[1]);
  const bool mirrored = view[2] != 0;
  const float* const meanRow = mean + y * geometry.imageWidth * 3;
  const uint8_t* const imageRow =
      images + (static_cast<int64_t>(n) * geometry.imageHeight + y) * geometry.imageWidth * 3;

  float values[kValues] = {};
#pragma unroll
  for (int i = 0; i < kValues; ++i) {
    if (begin + i >= rowLength) break;
    const int w = (begin + i) / 3;
    const int c = (begin + i) % 3;
    const int64_t place = static_cast<int64_t>(left + (mirrored ? geometry.width - 1 - w : w)) * 3 + c;
    values[i] = static_cast<float>(imageRow[place]) - meanRow[place] + view[3 + c];
  }
  T* const destination = output + static_cast<int64_t>(row) * rowLength + begin;
  if (wide) return store4(destination, values);  // 4 values divide the row
#pragma unroll
  for (int i = 0; i < kValues; ++i) {
    if (begin + i < rowLength) narrow(values[i], destination[i]);
  }
}

template <class T>
void launchAugment(const Augment& operation, Context& context) {
  const Tensor& to = operation.output;
  const int64_t rowLength = 3 * to.dimension(2);
  const int64_t tiles = (rowLength + kThreads * kValues - 1) / (kThreads * kValues);
  if (3 * operation.images.dimension(2) > INT32_MAX) {
    throw Error(kArgument,
                "pictures of " + std::to_string(operation.images.dimension(2)) + " columns are too wide on CUDA.");
  }
  const AugmentGeometry geometry{static_cast<int>(operation.images.dimension(1)),
                                 static_cast<int>(operation.images.dimension(2)), static_cast<int>(to.dimension(1)),
                                 static_cast<int>(to.dimension(2)), static_cast<unsigned>(tiles)};
  T* const output = to.mutableData<T>();
  const Grid grid{to.dimension(0) * to.dimension(1) * tiles};  // rows on grid.x: y and z end at 65,535
  launch("augmentKernel", augmentKernel<T>, grid, kThreads, context.stream(), operation.images.data<uint8_t>(),
         operation.views.data<float>(), operation.mean.data<float>(), output, geometry,
         rowLength % kValues == 0 && areWide({output}));
}

}  // namespace

void augment(const Augment& operation, Context& context) {
  return operation.output.type == DataType::float32 ? launchAugment<float>(operation, context)
                                                    : launchAugment<__nv_bfloat16>(operation, context);
}

}  // namespace alexnet::cuda
