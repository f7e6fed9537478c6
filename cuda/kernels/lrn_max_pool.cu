// Local response normalization and max pooling in one pass, forward and backward: lrn.cu and max_pool.cu one after the
// other, with their bits, and without the tensor in between.                                             paper 3.3, 3.4
//   forward    output[n,p,q,c] = max of b[n, p stride + r, q stride + s, c],   0 <= r, s < size,   b = lrn(a)
//   backward   db = the sum of outputGradient over the windows that b has won;   da = lrn's gradient of db;
//              with a ReLU below, da * f'(a)
//   a, da [N, H, W, C], output, outputGradient [N, P, Q, C]   fp32 or bf16, worked on in fp32; b and db are rounded to
//   the tensors' type                workspace [N, P, Q, C] uint8: the arg-max, as max_pool.cu has it
// Mapping   forward: a block makes a tile of outputs (4 x 4 pixels where they fit) of at most 8 chunks of 8 channels. It
//           normalizes the tile's inputs into shared memory, a chunk a thread, whose neighbours' channels are loaded too;
//           then a thread pools a chunk of an output. Size 3, stride 2: 81 pixels are normalized for 64.
//           backward: a lane has a chunk of an input pixel, gathers the windows that hold it (four at most, size 3, stride
//           2), and goes on as lrnBackwardKernel does.
//           Other shapes: a thread takes one element, and computes again what its neighbours compute too.
// Requires  for the chunks: LRN of size 5, C / columns a multiple of 8, tensors aligned to 16 bytes; forward also that a
//           window of 8 channels fits into shared memory (size <= 39). For all: workspace where size <= 16, outputs
//           apart from inputs, fewer than 2^34 elements.
// Bound     memory: forward reads a and writes output and workspace, backward reads a, outputGradient and workspace and
//           writes da. Of the paper's net, 128 pictures in bf16, b and db have 122 MB, as a and da: forward moves 244 MB
//           less than the two passes and backward 611 MB less than the three; training holds 122 MB less. fp32: twice.
// Checked   test/ops/lrn-max-pool.test.ts, against the definition and the separate passes; test/cuda/kernels.slow.test.ts:
//           loads and stores of 16 bytes
#include <algorithm>

#include "lrn.cuh"
#include "max_pool.cuh"
#include "operations.h"

namespace alexnet::cuda {
namespace {

constexpr int kTileThreads = 128;
constexpr int kThreads = 256;
constexpr int kChunksPerBlock = kThreads / 32 * kChunksPerWarp;

// How blocks share the outputs, and threads a block's pixels.
struct Tiling {
  Divisor side, inputSide;         // of a block's outputs and their windows, in pixels
  Divisor slice, slices;           // a block's chunks; blocks that share a pixel
  Divisor tilesAcross, tilesDown;  // blocks that share a picture
};

// A block's first output and chunk.
struct Corner {
  int n, p, q, chunk;
};
__device__ Corner cornerOf(const Tiling& tiling) {
  const unsigned tile = tiling.slices.quotient(blockIdx.x);
  const unsigned strip = tiling.tilesAcross.quotient(tile);
  const unsigned picture = tiling.tilesDown.quotient(strip);
  const unsigned side = tiling.side.divisor;
  return {static_cast<int>(picture), static_cast<int>(tiling.tilesDown.remainder(strip, picture) * side),
          static_cast<int>(tiling.tilesAcross.remainder(tile, strip) * side),
          static_cast<int>(tiling.slices.remainder(blockIdx.x, tile) * tiling.slice.divisor)};
}

// Number `index` of a square's chunks: where it is.
struct Spot {
  int row, column, chunk;
};
__device__ Spot spotOf(unsigned index, const Divisor& side, const Divisor& slice) {
  const unsigned pixel = slice.quotient(index);
  const unsigned row = side.quotient(pixel);
  return {static_cast<int>(row), static_cast<int>(side.remainder(pixel, row)),
          static_cast<int>(slice.remainder(index, pixel))};
}

// lrn's outputs of a chunk, rounded as they would be stored.
template <bool kThreeQuarters, class T>
__device__ void normalizeChunk(const T* source, bool hasLeft, bool hasRight, const LrnParameters& parameters,
                               float (&b)[kChunk]) {
  float left[kLrnHalf] = {}, right[kLrnHalf] = {};
  load8(source, b);
  if (hasLeft) load2(source - kLrnHalf, left);
  if (hasRight) load2(source + kChunk, right);
  float squares[kLrnWindow], sums[kChunk];
#pragma unroll
  for (int i = 0; i < kLrnHalf; ++i) {
    squares[i] = __fmul_rn(left[i], left[i]);
    squares[kLrnHalf + kChunk + i] = __fmul_rn(right[i], right[i]);
  }
#pragma unroll
  for (int i = 0; i < kChunk; ++i) squares[kLrnHalf + i] = __fmul_rn(b[i], b[i]);
  windowSums(squares, sums);
  normalize<kThreeQuarters>(b, sums, parameters);
}

template <class T, bool kThreeQuarters>
__global__ void __launch_bounds__(kTileThreads)
    lrnMaxPoolForwardKernel(const T* __restrict__ input, T* __restrict__ output, uint8_t* __restrict__ workspace,
                            PoolGeometry geometry, Tiling tiling, Divisor chunksPerRow, LrnParameters parameters) {
  extern __shared__ uint4 storage[];
  T* const tile = reinterpret_cast<T*>(storage);  // [inputSide, inputSide, slice, 8]
  const Corner corner = cornerOf(tiling);
  const int chunks = geometry.channels / kChunk;

  const unsigned inputSide = tiling.inputSide.divisor;
  for (unsigned i = threadIdx.x; i < inputSide * inputSide * tiling.slice.divisor; i += kTileThreads) {
    const Spot spot = spotOf(i, tiling.inputSide, tiling.slice);
    const int row = corner.p * geometry.stride + spot.row;
    const int column = corner.q * geometry.stride + spot.column;
    const int chunk = corner.chunk + spot.chunk;
    if (row >= geometry.height || column >= geometry.width || chunk >= chunks) continue;
    const int64_t pixel = (static_cast<int64_t>(corner.n) * geometry.height + row) * geometry.width + column;
    const unsigned inRow = chunksPerRow.remainder(static_cast<unsigned>(chunk));
    float b[kChunk];
    normalizeChunk<kThreeQuarters>(input + (pixel * chunks + chunk) * kChunk, inRow > 0,
                                   inRow + 1 < chunksPerRow.divisor, parameters, b);
    store8(tile + i * kChunk, b);
  }
  __syncthreads();

  const unsigned side = tiling.side.divisor;
  for (unsigned i = threadIdx.x; i < side * side * tiling.slice.divisor; i += kTileThreads) {
    const Spot spot = spotOf(i, tiling.side, tiling.slice);
    const int p = corner.p + spot.row;
    const int q = corner.q + spot.column;
    const int chunk = corner.chunk + spot.chunk;
    if (p >= geometry.outputHeight || q >= geometry.outputWidth || chunk >= chunks) continue;
    float largest[kChunk];
    int winners[kChunk];
    for (int r = 0; r < geometry.size; ++r) {
      for (int s = 0; s < geometry.size; ++s) {
        const int pixel =
            (spot.row * geometry.stride + r) * static_cast<int>(inputSide) + spot.column * geometry.stride + s;
        float b[kChunk];
        load8(tile + (pixel * static_cast<int>(tiling.slice.divisor) + spot.chunk) * kChunk, b);
#pragma unroll
        for (int c = 0; c < kChunk; ++c) {
          const bool better = r + s == 0 || beats(b[c], largest[c]);
          largest[c] = better ? b[c] : largest[c];
          winners[c] = better ? r * geometry.size + s : winners[c];
        }
      }
    }
    const int64_t pixel = (static_cast<int64_t>(corner.n) * geometry.outputHeight + p) * geometry.outputWidth + q;
    store8(output + (pixel * chunks + chunk) * kChunk, largest);
    if (workspace) storeWinners(workspace + (pixel * chunks + chunk) * kChunk, winners, kChunk, true);
  }
}

// From the number of a chunk or an element to its pixel.
struct Places {
  Divisor inPixel, width, height;  // chunks of a pixel, pixels of a row, rows of a picture
};
__device__ Pixel pixelOf(unsigned chunk, const Places& places) {
  const unsigned pixel = places.inPixel.quotient(chunk);
  const unsigned row = places.width.quotient(pixel);
  const unsigned picture = places.height.quotient(row);
  return {static_cast<int>(picture), static_cast<int>(places.height.remainder(row, picture)),
          static_cast<int>(places.width.remainder(pixel, row)),
          static_cast<int>(places.inPixel.remainder(chunk, pixel)) * kChunk};
}

template <class T, bool kThreeQuarters>
__global__ void __launch_bounds__(kThreads, 4)
    lrnMaxPoolBackwardKernel(const T* __restrict__ input, const T* __restrict__ outputGradient,
                             const uint8_t* __restrict__ workspace, T* __restrict__ inputGradient, int64_t chunks,
                             PoolGeometry geometry, Places places, Divisor chunksPerRow, LrnParameters parameters,
                             bool masked) {
  const LaneChunk at = chunkOfLane(chunks, chunksPerRow);
  float a[kChunk] = {}, gradients[kChunk] = {};
  if (at.exists) {
    load8(input + at.chunk * kChunk, a);
    const Pixel pixel = pixelOf(static_cast<unsigned>(at.chunk), places);
    gatherWindows<false, T>(outputGradient, workspace, nullptr, pixel, geometry, kChunk, true, gradients);
    roundAll<T>(gradients);
  }
  lrnGradients<kThreeQuarters>(a, gradients, at, parameters);
#pragma unroll
  for (int i = 0; i < kChunk; ++i) gradients[i] *= masked ? reluSlope(a[i]) : 1.0F;
  if (at.writes) store8(inputGradient + at.chunk * kChunk, gradients);
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    lrnMaxPoolForwardAnyKernel(const T* __restrict__ input, T* __restrict__ output, uint8_t* __restrict__ workspace,
                               int64_t elements, PoolGeometry geometry, int64_t rowLength, int64_t half,
                               LrnParameters parameters) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= elements) return;
  const int64_t pixel = i / geometry.channels;
  const int64_t line = pixel / geometry.outputWidth;  // of N P
  const int64_t top = line / geometry.outputHeight * geometry.height + line % geometry.outputHeight * geometry.stride;
  const int64_t corner = top * geometry.width + pixel % geometry.outputWidth * geometry.stride;
  float largest = 0;
  int winner = 0;
  for (int r = 0; r < geometry.size; ++r) {
    for (int s = 0; s < geometry.size; ++s) {
      const int64_t j =
          (corner + static_cast<int64_t>(r) * geometry.width + s) * geometry.channels + i % geometry.channels;
      const float b = rounded<T>(normalized(input, j, rowLength, half, parameters));
      const bool better = r + s == 0 || beats(b, largest);
      largest = better ? b : largest;
      winner = better ? r * geometry.size + s : winner;
    }
  }
  narrow(largest, output[i]);
  if (workspace) workspace[i] = static_cast<uint8_t>(winner);
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    lrnMaxPoolBackwardAnyKernel(const T* __restrict__ input, const T* __restrict__ outputGradient,
                                const uint8_t* __restrict__ workspace, T* __restrict__ inputGradient, int64_t elements,
                                PoolGeometry geometry, int64_t rowLength, int64_t half, LrnParameters parameters,
                                bool masked) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= elements) return;
  const int64_t pixel = i / geometry.channels;
  const int64_t line = pixel / geometry.width;  // of N H
  Pixel at{static_cast<int>(line / geometry.height), static_cast<int>(line % geometry.height),
           static_cast<int>(pixel % geometry.width), 0};
  const auto gradientOf = [&](int64_t j) {
    at.channel = static_cast<int>(j - pixel * geometry.channels);
    float sum = 0;
    visitWindows(at, geometry, [&](int64_t offset, int place) {
      sum += workspace[offset] == place ? widen(outputGradient[offset]) : 0.0F;
    });
    return rounded<T>(sum);
  };
  const float gradient = lrnGradient(input, gradientOf, i, rowLength, half, parameters);
  narrow(gradient * (masked ? reluSlope(widen(input[i])) : 1.0F), inputGradient[i]);
}

// Of so many outputs a side, in slices of so many chunks.
int64_t tileBytes(int64_t side, int64_t slice, const PoolShape& pool, size_t elementBytes) {
  const int64_t inputSide = (side - 1) * pool.stride + pool.size;
  return inputSide * inputSide * slice * kChunk * static_cast<int64_t>(elementBytes);
}

constexpr int64_t kMostShared = 48 << 10;          // what a block may have without an opt-in
constexpr int64_t kUsualShared = kMostShared / 2;  // so that a multiprocessor has several blocks

template <class T>
void launchTiles(const LrnMaxPool& operation, const PoolGeometry& geometry, const LrnArguments& lrn, Context& context) {
  const PoolShape& pool = operation.pool;
  const int64_t chunks = geometry.channels / kChunk;
  int64_t slices = (chunks + 7) / 8;
  int64_t slice = (chunks + slices - 1) / slices;
  int64_t side = 4;
  while (side > 1 && tileBytes(side, slice, pool, sizeof(T)) > kUsualShared) side /= 2;
  while (slice > 1 && tileBytes(side, slice, pool, sizeof(T)) > kMostShared) slice = (slice + 1) / 2;
  slices = (chunks + slice - 1) / slice;
  const int64_t across = (geometry.outputWidth + side - 1) / side;
  const int64_t down = (geometry.outputHeight + side - 1) / side;
  const Tiling tiling{Divisor(side),   Divisor((side - 1) * pool.stride + pool.size),
                      Divisor(slice),  Divisor(slices),
                      Divisor(across), Divisor(down)};
  const Tensor& output = operation.output;
  launchShared("lrnMaxPoolForwardKernel",
               lrn.hasThreeQuarters() ? lrnMaxPoolForwardKernel<T, true> : lrnMaxPoolForwardKernel<T, false>,
               Grid{output.dimension(0) * down * across * slices}, kTileThreads,
               static_cast<size_t>(tileBytes(side, slice, pool, sizeof(T))), context.limits(), context.stream(),
               operation.input.data<T>(), output.mutableData<T>(),
               operation.workspace ? operation.workspace.mutableData<uint8_t>() : nullptr, geometry, tiling,
               lrn.chunksPerRow(), lrn.parameters);
}

template <class T>
void launchForward(const LrnMaxPool& operation, Context& context) {
  const LrnArguments lrn(operation.input, operation.lrn);
  const PoolGeometry geometry = geometryOf(operation.input, operation.output, operation.pool);
  const T* const input = operation.input.data<T>();
  T* const output = operation.output.mutableData<T>();
  uint8_t* const workspace = operation.workspace ? operation.workspace.mutableData<uint8_t>() : nullptr;
  if (lrn.inChunks({input, output, workspace}) && tileBytes(1, 1, operation.pool, sizeof(T)) <= kMostShared) {
    return launchTiles<T>(operation, geometry, lrn, context);
  }
  const int64_t elements = operation.output.elements();
  launch("lrnMaxPoolForwardAnyKernel", lrnMaxPoolForwardAnyKernel<T>, Grid{(elements + kThreads - 1) / kThreads},
         kThreads, context.stream(), input, output, workspace, elements, geometry, lrn.rowLength, lrn.half,
         lrn.parameters);
}

template <class T>
void launchBackward(const LrnMaxPoolBackward& operation, Context& context) {
  const LrnArguments lrn(operation.input, operation.lrn);
  const PoolGeometry geometry = geometryOf(operation.input, operation.outputGradient, operation.pool);
  const T* const input = operation.input.data<T>();
  const T* const outputGradient = operation.outputGradient.data<T>();
  const uint8_t* const workspace = operation.workspace.data<uint8_t>();
  T* const inputGradient = operation.inputGradient.mutableData<T>();
  const bool masked = operation.activation == Activation::relu;
  if (!lrn.inChunks({input, outputGradient, workspace, inputGradient})) {
    return launch("lrnMaxPoolBackwardAnyKernel", lrnMaxPoolBackwardAnyKernel<T>,
                  Grid{(lrn.elements + kThreads - 1) / kThreads}, kThreads, context.stream(), input, outputGradient,
                  workspace, inputGradient, lrn.elements, geometry, lrn.rowLength, lrn.half, lrn.parameters, masked);
  }
  const int64_t chunks = lrn.elements / kChunk;
  const Places places{Divisor(geometry.channels / kChunk), Divisor(geometry.width), Divisor(geometry.height)};
  launch("lrnMaxPoolBackwardKernel",
         lrn.hasThreeQuarters() ? lrnMaxPoolBackwardKernel<T, true> : lrnMaxPoolBackwardKernel<T, false>,
         Grid{(chunks + kChunksPerBlock - 1) / kChunksPerBlock}, kThreads, context.stream(), input, outputGradient,
         workspace, inputGradient, chunks, geometry, places, lrn.chunksPerRow(), lrn.parameters, masked);
}

}  // namespace

void lrnMaxPoolForward(const LrnMaxPool& operation, Context& context) {
  requireApart("output", operation.output, "input", operation.input);
  if (operation.workspace) requireWorkspace(operation.workspace, operation.output, operation.pool);
  return operation.input.type == DataType::float32 ? launchForward<float>(operation, context)
                                                   : launchForward<__nv_bfloat16>(operation, context);
}

void lrnMaxPoolBackward(const LrnMaxPoolBackward& operation, Context& context) {
  requireApart("inputGradient", operation.inputGradient, "input", operation.input);
  requireApart("inputGradient", operation.inputGradient, "outputGradient", operation.outputGradient);
  requireWorkspace(operation.workspace, operation.outputGradient, operation.pool);
  return operation.input.type == DataType::float32 ? launchBackward<float>(operation, context)
                                                   : launchBackward<__nv_bfloat16>(operation, context);
}

}  // namespace alexnet::cuda
