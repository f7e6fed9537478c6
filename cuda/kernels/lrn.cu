// Local response normalization across channels, forward and backward.                                          paper 3.3
//   b[i] = a[i] d[i]^-beta,   d[i] = k + alpha * sum a[j]^2                     |j - i| <= size / 2, clipped to i's column
//   da[i] = db[i] d[i]^-beta - 2 alpha beta a[i] * sum db[j] a[j] d[j]^(-beta-1)                            the same j
//   a, b, gradients   [N, H, W, C]  fp32 or bf16, seen as rows [N H W columns, C / columns]; sums and powers in fp32
// Mapping   a row is a run of chunks of 8 channels, and a lane takes one. Its neighbours' channels come by shuffle, so a
//           warp's first and last lane only help: it writes 30 chunks. Rows are whole chunks, so a lane needs only its
//           place in the row.
//           Other shapes: a thread takes one element and reads its window.
// Requires  for the chunks: size 5, C / columns a multiple of 8, tensors aligned to 16 bytes. For both: tensors apart from
//           each other, fewer than 2^34 elements.
// Bound     memory: forward reads a once and writes b once (16/15 of that through the L1 cache); backward reads a and db,
//           writes da.
// Checked   test/ops/lrn.test.ts; test/cuda/kernels.slow.test.ts: loads and stores of 16 bytes
#include <string>

#include "../runtime/launch.cuh"
#include "../runtime/vector.cuh"
#include "operations.h"

namespace alexnet::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kChunk = 8;
constexpr int kHalf = 2;            // size / 2 where chunks are used
constexpr int kChunksPerWarp = 30;  // of 32 that it reads
constexpr int kChunksPerBlock = kThreads / 32 * kChunksPerWarp;
constexpr unsigned kWarp = 0xffffffffU;

struct Parameters {
  float alpha, beta, k;
};

// x^-beta. beta = 3/4, the paper's, in two instructions: sqrt(1/x) * sqrt(sqrt(1/x)).
template <bool kThreeQuarters>
__device__ float inversePower(float x, float beta) {
  if constexpr (kThreeQuarters) {
    float root, fourthRoot;  // of 1 / x
    asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(root) : "f"(x));
    asm("sqrt.approx.ftz.f32 %0, %1;" : "=f"(fourthRoot) : "f"(root));
    return root * fourthRoot;
  } else {
    return powf(x, -beta);
  }
}

// A lane's chunk; neighbouring warps overlap by two.
struct LaneChunk {
  int64_t chunk;
  bool exists, writes;     // lanes without a chunk stay: the shuffles name the whole warp
  bool hasLeft, hasRight;  // whether the neighbours' chunks are of the same row
};
__device__ LaneChunk chunkOfLane(int64_t chunks, unsigned chunksPerRow) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int64_t warp = static_cast<int64_t>(blockIdx.x) * (kThreads / 32) + threadIdx.x / 32;
  LaneChunk place;
  place.chunk = warp * kChunksPerWarp + lane - 1;
  place.exists = place.chunk >= 0 && place.chunk < chunks;
  place.writes = place.exists && lane > 0 && lane < 31;
  const unsigned inRow = place.exists ? static_cast<unsigned>(place.chunk) % chunksPerRow : 0;
  place.hasLeft = place.exists && inRow > 0;
  place.hasRight = place.exists && inRow + 1 < chunksPerRow;
  return place;
}

// sums[i] = terms[i - 2] + ... + terms[i + 2], within the row. Incomplete, and unused, for the first two channels of a
// warp's first lane and the last two of its last lane, whose neighbours no lane holds.
__device__ void windowSums(const float (&terms)[kChunk], const LaneChunk& at, float (&sums)[kChunk]) {
  float window[kChunk + 2 * kHalf];  // channels -2 .. 9 of this chunk
#pragma unroll
  for (int i = 0; i < kChunk; ++i) window[kHalf + i] = terms[i];
#pragma unroll
  for (int i = 0; i < kHalf; ++i) {
    const float left = __shfl_up_sync(kWarp, terms[kChunk - kHalf + i], 1);
    const float right = __shfl_down_sync(kWarp, terms[i], 1);
    window[i] = at.hasLeft ? left : 0.0F;
    window[kHalf + kChunk + i] = at.hasRight ? right : 0.0F;
  }
#pragma unroll
  for (int i = 0; i < kChunk; ++i) {
    sums[i] = window[i];
#pragma unroll
    for (int j = 1; j <= 2 * kHalf; ++j) sums[i] += window[i + j];
  }
}

template <class T, bool kThreeQuarters>
__global__ void __launch_bounds__(kThreads)
    lrnForwardKernel(const T* __restrict__ input, T* __restrict__ output, int64_t chunks, unsigned chunksPerRow,
                     Parameters parameters) {
  const LaneChunk at = chunkOfLane(chunks, chunksPerRow);
  float a[kChunk] = {};
  if (at.exists) load8(input + at.chunk * kChunk, a);
  float squares[kChunk], sums[kChunk];
#pragma unroll
  for (int i = 0; i < kChunk; ++i) squares[i] = a[i] * a[i];
  windowSums(squares, at, sums);
#pragma unroll
  for (int i = 0; i < kChunk; ++i) {
    a[i] *= inversePower<kThreeQuarters>(fmaf(parameters.alpha, sums[i], parameters.k), parameters.beta);
  }
  if (at.writes) store8(output + at.chunk * kChunk, a);
}

template <class T, bool kThreeQuarters>
__global__ void __launch_bounds__(kThreads)
    lrnBackwardKernel(const T* __restrict__ input, const T* __restrict__ outputGradient, T* __restrict__ inputGradient,
                      int64_t chunks, unsigned chunksPerRow, Parameters parameters) {
  const LaneChunk at = chunkOfLane(chunks, chunksPerRow);
  float a[kChunk] = {}, gradients[kChunk] = {};
  if (at.exists) load8(input + at.chunk * kChunk, a);
  if (at.exists) load8(outputGradient + at.chunk * kChunk, gradients);
  float terms[kChunk], sums[kChunk];
#pragma unroll
  for (int i = 0; i < kChunk; ++i) terms[i] = a[i] * a[i];
  windowSums(terms, at, sums);
#pragma unroll
  for (int i = 0; i < kChunk; ++i) {
    const float d = fmaf(parameters.alpha, sums[i], parameters.k);
    gradients[i] *= inversePower<kThreeQuarters>(d, parameters.beta);
    terms[i] = gradients[i] * a[i] / d;
  }
  windowSums(terms, at, sums);
  const float scale = 2.0F * parameters.alpha * parameters.beta;
#pragma unroll
  for (int i = 0; i < kChunk; ++i) gradients[i] -= scale * a[i] * sums[i];
  if (at.writes) store8(inputGradient + at.chunk * kChunk, gradients);
}

// The window of element `i`, clipped to its row: from .x up to .y.
__device__ longlong2 windowOf(int64_t i, int64_t rowLength, int64_t half) {
  const int64_t row = i / rowLength * rowLength;
  return make_longlong2(i - half > row ? i - half : row,
                        i + half + 1 < row + rowLength ? i + half + 1 : row + rowLength);
}

template <class T>
__device__ float denominator(const T* input, int64_t i, int64_t rowLength, int64_t half, const Parameters& parameters) {
  const longlong2 window = windowOf(i, rowLength, half);
  float sum = 0;
  for (int64_t j = window.x; j < window.y; ++j) sum = fmaf(widen(input[j]), widen(input[j]), sum);
  return fmaf(parameters.alpha, sum, parameters.k);
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    lrnForwardAnyKernel(const T* __restrict__ input, T* __restrict__ output, int64_t elements, int64_t rowLength,
                        int64_t half, Parameters parameters) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= elements) return;
  narrow(widen(input[i]) * powf(denominator(input, i, rowLength, half, parameters), -parameters.beta), output[i]);
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    lrnBackwardAnyKernel(const T* __restrict__ input, const T* __restrict__ outputGradient,
                         T* __restrict__ inputGradient, int64_t elements, int64_t rowLength, int64_t half,
                         Parameters parameters) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= elements) return;
  const longlong2 window = windowOf(i, rowLength, half);
  float direct = 0;
  float sum = 0;
  for (int64_t j = window.x; j < window.y; ++j) {
    const float d = denominator(input, j, rowLength, half, parameters);
    const float gradient = widen(outputGradient[j]) * powf(d, -parameters.beta);
    sum += gradient * widen(input[j]) / d;
    if (j == i) direct = gradient;
  }
  narrow(direct - 2.0F * parameters.alpha * parameters.beta * widen(input[i]) * sum, inputGradient[i]);
}

void requireApart(const char* name, const Tensor& input, const char* otherName, const Tensor& other) {
  const auto begin = reinterpret_cast<uintptr_t>(input.data());
  const auto otherBegin = reinterpret_cast<uintptr_t>(other.data());
  if (begin + input.bytes() <= otherBegin || otherBegin + other.bytes() <= begin) return;
  throw Error(kArgument, std::string(name) + " must not overlap " + otherName + " on CUDA.");
}

// What the kernels need beside their tensors.
struct LrnArguments {
  LrnArguments(const Tensor& input, const LrnShape& shape)
      : elements(input.elements()),
        rowLength(input.dimension(3) / shape.columns),
        half(shape.size / 2),
        parameters{shape.alpha, shape.beta, shape.k} {
    if (elements >= int64_t{1} << 34) throw Error(kArgument, "a tensor must have fewer than 2^34 elements on CUDA.");
  }
  bool inChunks(std::initializer_list<const void*> tensors) const {
    return half == kHalf && rowLength % kChunk == 0 && areWide(tensors);
  }
  int64_t elements, rowLength, half;
  Parameters parameters;
};

// Blocks are on grid.x: y and z end at 65,535.
template <class Kernel, class... Tensors>
void launchInChunks(const char* name, Kernel kernel, const LrnArguments& lrn, Context& context, Tensors... tensors) {
  const int64_t chunks = lrn.elements / kChunk;
  launch(name, kernel, Grid{(chunks + kChunksPerBlock - 1) / kChunksPerBlock}, kThreads, context.stream(), tensors...,
         chunks, static_cast<unsigned>(lrn.rowLength / kChunk), lrn.parameters);
}

template <class Kernel, class... Tensors>
void launchAny(const char* name, Kernel kernel, const LrnArguments& lrn, Context& context, Tensors... tensors) {
  launch(name, kernel, Grid{(lrn.elements + kThreads - 1) / kThreads}, kThreads, context.stream(), tensors...,
         lrn.elements, lrn.rowLength, lrn.half, lrn.parameters);
}

template <class T>
void launchForward(const Lrn& operation, Context& context) {
  const LrnArguments lrn(operation.input, operation.shape);
  const T* const input = operation.input.data<T>();
  T* const output = operation.output.mutableData<T>();
  if (!lrn.inChunks({input, output})) {
    return launchAny("lrnForwardAnyKernel", lrnForwardAnyKernel<T>, lrn, context, input, output);
  }
  const bool threeQuarters = lrn.parameters.beta == 0.75F;
  launchInChunks("lrnForwardKernel", threeQuarters ? lrnForwardKernel<T, true> : lrnForwardKernel<T, false>, lrn,
                 context, input, output);
}

template <class T>
void launchBackward(const LrnBackward& operation, Context& context) {
  const LrnArguments lrn(operation.input, operation.shape);
  const T* const input = operation.input.data<T>();
  const T* const outputGradient = operation.outputGradient.data<T>();
  T* const inputGradient = operation.inputGradient.mutableData<T>();
  if (!lrn.inChunks({input, outputGradient, inputGradient})) {
    return launchAny("lrnBackwardAnyKernel", lrnBackwardAnyKernel<T>, lrn, context, input, outputGradient,
                     inputGradient);
  }
  const bool threeQuarters = lrn.parameters.beta == 0.75F;
  launchInChunks("lrnBackwardKernel", threeQuarters ? lrnBackwardKernel<T, true> : lrnBackwardKernel<T, false>, lrn,
                 context, input, outputGradient, inputGradient);
}

}  // namespace

void lrnForward(const Lrn& operation, Context& context) {
  requireApart("output", operation.output, "input", operation.input);
  return operation.input.type == DataType::float32 ? launchForward<float>(operation, context)
                                                   : launchForward<__nv_bfloat16>(operation, context);
}

void lrnBackward(const LrnBackward& operation, Context& context) {
  requireApart("inputGradient", operation.inputGradient, "input", operation.input);
  requireApart("inputGradient", operation.inputGradient, "outputGradient", operation.outputGradient);
  return operation.input.type == DataType::float32 ? launchBackward<float>(operation, context)
                                                   : launchBackward<__nv_bfloat16>(operation, context);
}

}  // namespace alexnet::cuda
