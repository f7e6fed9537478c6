// Overlapped max pooling, forward and backward.                                                               paper 3.4
//   forward    output[n,p,q,c] = max of input[n, p stride + r, q stride + s, c]      0 <= r, s < size
//   backward   inputGradient[n,h,w,c] = sum of outputGradient[n,p,q,c] over the windows that the input has won;
//              with a ReLU below, times f'(output[n,p,q,c]): the output is the input
//   input [N, H, W, C], output [N, P, Q, C]   fp32 or bf16, sums in fp32
//   workspace [N, P, Q, C] uint8: the arg-max, r * size + s; of equal inputs the first
// Mapping   a block takes a part of one row of pixels, a thread 8 neighbouring channels of one pixel.
//           Gather, not scatter: each input adds up the windows that it won, in order, so no atomics.
// Requires  size <= 16 where there is a workspace, for the index to fit; 16-byte accesses where tensors are aligned to 16
//           bytes and C is a multiple of 8, element by element where not.
// Bound     memory: forward reads the input once (windows overlap in the caches) and writes output and workspace; backward
//           the reverse. With the ReLU's derivative it reads the output too, and saves activateBackward's pass over the
//           input's size: 31 MB a step for the paper's pool5 with 128 pictures in bf16, twice that in fp32.
// Checked   test/ops/max-pool.test.ts
#include "max_pool.cuh"

#include "operations.h"

namespace alexnet::cuda {
namespace {

constexpr int kThreads = 128;

// How blocks share a row of pixels.
struct Tiling {
  unsigned chunks;  // of 8 channels in a pixel
  unsigned tiles;   // blocks
};

// This thread's pixel and channels.
struct Place : Pixel {
  int count;       // channels that there are, at most 8; 0 for a thread without work
  int64_t offset;  // of the first channel, in elements
};
__device__ Place placeIn(int height, int width, int channels, const Tiling& tiling) {
  const unsigned row = blockIdx.x / tiling.tiles;  // of N * height
  const unsigned position = blockIdx.x % tiling.tiles * kThreads + threadIdx.x;
  const unsigned column = position / tiling.chunks;
  const int channel = static_cast<int>(position % tiling.chunks) * kChunk;
  const int left = channels - channel;
  Place place;
  place.n = static_cast<int>(row / static_cast<unsigned>(height));
  place.row = static_cast<int>(row % static_cast<unsigned>(height));
  place.column = static_cast<int>(column);
  place.channel = channel;
  place.count = column >= static_cast<unsigned>(width) ? 0 : left < kChunk ? left : kChunk;
  place.offset = (static_cast<int64_t>(row) * width + place.column) * channels + channel;
  return place;
}

// kSize: the window's side, so that the loops unroll and all loads are in flight at once; 0: any other side.
template <class T, int kSize>
__global__ void __launch_bounds__(kThreads)
    maxPoolForwardKernel(const T* __restrict__ input, T* __restrict__ output, uint8_t* __restrict__ workspace,
                         PoolGeometry geometry, Tiling tiling, bool wide) {
  const Place at = placeIn(geometry.outputHeight, geometry.outputWidth, geometry.channels, tiling);
  if (at.count == 0) return;
  constexpr int kUnrolled = kSize > 0 ? kSize : 1;
  const int size = kSize > 0 ? kSize : geometry.size;
  const int64_t top = static_cast<int64_t>(at.n) * geometry.height + static_cast<int64_t>(at.row) * geometry.stride;
  const int64_t left = static_cast<int64_t>(at.column) * geometry.stride;
  const T* const window = input + (top * geometry.width + left) * geometry.channels + at.channel;

  float largest[kChunk];
  int winners[kChunk] = {};
  loadChunk(window, largest, at.count, wide);
#pragma unroll kUnrolled
  for (int r = 0; r < size; ++r) {
#pragma unroll kUnrolled
    for (int s = 0; s < size; ++s) {
      if (r + s == 0) continue;
      float values[kChunk];
      loadChunk(window + (static_cast<int64_t>(r) * geometry.width + s) * geometry.channels, values, at.count, wide);
#pragma unroll
      for (int c = 0; c < kChunk; ++c) {
        const bool better = beats(values[c], largest[c]);
        largest[c] = better ? values[c] : largest[c];
        winners[c] = better ? r * size + s : winners[c];
      }
    }
  }
  storeChunk(output + at.offset, largest, at.count, wide);
  if (workspace) storeWinners(workspace + at.offset, winners, at.count, wide);
}

// kMasked: with a ReLU below, whose derivative the outputs tell.
template <class T, bool kMasked>
__global__ void __launch_bounds__(kThreads, 8)
    maxPoolBackwardKernel(const T* __restrict__ outputGradient, const uint8_t* __restrict__ workspace,
                          const T* __restrict__ output, T* __restrict__ inputGradient, PoolGeometry geometry,
                          Tiling tiling, bool wide) {
  const Place at = placeIn(geometry.height, geometry.width, geometry.channels, tiling);
  if (at.count == 0) return;
  float sums[kChunk];
  gatherWindows<kMasked>(outputGradient, workspace, output, at, geometry, at.count, wide, sums);
  storeChunk(inputGradient + at.offset, sums, at.count, wide);
}

// Covers rows of `width` pixels.
Tiling tilingOf(int64_t width, int64_t channels) {
  const int64_t chunks = (channels + kChunk - 1) / kChunk;
  const int64_t tiles = (width * chunks + kThreads - 1) / kThreads;
  if (tiles > INT32_MAX / kThreads) {
    throw Error(kArgument, "a row of " + std::to_string(width) + " pixels with " + std::to_string(channels) +
                               " channels is too long on CUDA.");
  }
  return {static_cast<unsigned>(chunks), static_cast<unsigned>(tiles)};
}

template <class T>
void launchForward(const MaxPool& operation, Context& context) {
  const Tensor& to = operation.output;
  const PoolGeometry geometry = geometryOf(operation.input, to, operation.shape);
  const Tiling tiling = tilingOf(to.dimension(2), to.dimension(3));
  const T* const input = operation.input.data<T>();
  T* const output = to.mutableData<T>();
  uint8_t* const workspace = operation.workspace ? operation.workspace.mutableData<uint8_t>() : nullptr;
  const Grid grid{to.dimension(0) * to.dimension(1) * tiling.tiles};  // rows on grid.x: y and z end at 65,535
  launch("maxPoolForwardKernel", geometry.size == 3 ? maxPoolForwardKernel<T, 3> : maxPoolForwardKernel<T, 0>, grid,
         kThreads, context.stream(), input, output, workspace, geometry, tiling,
         geometry.channels % kChunk == 0 && areWide({input, output, workspace}));
}

template <class T>
void launchBackward(const MaxPoolBackward& operation, Context& context) {
  const Tensor& to = operation.inputGradient;
  const PoolGeometry geometry = geometryOf(to, operation.outputGradient, operation.shape);
  const Tiling tiling = tilingOf(to.dimension(2), to.dimension(3));
  const T* const outputGradient = operation.outputGradient.data<T>();
  const uint8_t* const workspace = operation.workspace.data<uint8_t>();
  const T* const output = operation.output ? operation.output.data<T>() : nullptr;
  T* const inputGradient = to.mutableData<T>();
  const Grid grid{to.dimension(0) * to.dimension(1) * tiling.tiles};
  launch("maxPoolBackwardKernel", output ? maxPoolBackwardKernel<T, true> : maxPoolBackwardKernel<T, false>, grid,
         kThreads, context.stream(), outputGradient, workspace, output, inputGradient, geometry, tiling,
         geometry.channels % kChunk == 0 && areWide({outputGradient, workspace, output, inputGradient}));
}

}  // namespace

size_t maxPoolWorkspaceBytes(const MaxPool& operation) { return indexBytes(operation.output, operation.shape); }

void maxPoolForward(const MaxPool& operation, Context& context) {
  if (operation.workspace) requireWorkspace(operation.workspace, operation.output, operation.shape);
  return operation.input.type == DataType::float32 ? launchForward<float>(operation, context)
                                                   : launchForward<__nv_bfloat16>(operation, context);
}

void maxPoolBackward(const MaxPoolBackward& operation, Context& context) {
  requireWorkspace(operation.workspace, operation.outputGradient, operation.shape);
  return operation.inputGradient.type == DataType::float32 ? launchBackward<float>(operation, context)
                                                           : launchBackward<__nv_bfloat16>(operation, context);
}

}  // namespace alexnet::cuda
