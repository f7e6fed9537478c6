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
#include "lrn.cuh"

#include "operations.h"

namespace alexnet::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kChunksPerBlock = kThreads / 32 * kChunksPerWarp;

template <class T, bool kThreeQuarters>
__global__ void __launch_bounds__(kThreads)
    lrnForwardKernel(const T* __restrict__ input, T* __restrict__ output, int64_t chunks, Divisor chunksPerRow,
                     LrnParameters parameters) {
  const LaneChunk at = chunkOfLane(chunks, chunksPerRow);
  float a[kChunk] = {};
  if (at.exists) load8(input + at.chunk * kChunk, a);
  float squares[kChunk], sums[kChunk];
#pragma unroll
  for (int i = 0; i < kChunk; ++i) squares[i] = __fmul_rn(a[i], a[i]);
  rowSums(squares, at, sums);
  normalize<kThreeQuarters>(a, sums, parameters);
  if (at.writes) store8(output + at.chunk * kChunk, a);
}

template <class T, bool kThreeQuarters>
__global__ void __launch_bounds__(kThreads)
    lrnBackwardKernel(const T* __restrict__ input, const T* __restrict__ outputGradient, T* __restrict__ inputGradient,
                      int64_t chunks, Divisor chunksPerRow, LrnParameters parameters) {
  const LaneChunk at = chunkOfLane(chunks, chunksPerRow);
  float a[kChunk] = {}, gradients[kChunk] = {};
  if (at.exists) load8(input + at.chunk * kChunk, a);
  if (at.exists) load8(outputGradient + at.chunk * kChunk, gradients);
  lrnGradients<kThreeQuarters>(a, gradients, at, parameters);
  if (at.writes) store8(inputGradient + at.chunk * kChunk, gradients);
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    lrnForwardAnyKernel(const T* __restrict__ input, T* __restrict__ output, int64_t elements, int64_t rowLength,
                        int64_t half, LrnParameters parameters) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= elements) return;
  narrow(normalized(input, i, rowLength, half, parameters), output[i]);
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    lrnBackwardAnyKernel(const T* __restrict__ input, const T* __restrict__ outputGradient,
                         T* __restrict__ inputGradient, int64_t elements, int64_t rowLength, int64_t half,
                         LrnParameters parameters) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= elements) return;
  const auto gradientOf = [&](int64_t j) { return widen(outputGradient[j]); };
  narrow(lrnGradient(input, gradientOf, i, rowLength, half, parameters), inputGradient[i]);
}

// Blocks are on grid.x: y and z end at 65,535.
template <class Kernel, class... Tensors>
void launchInChunks(const char* name, Kernel kernel, const LrnArguments& lrn, Context& context, Tensors... tensors) {
  const int64_t chunks = lrn.elements / kChunk;
  launch(name, kernel, Grid{(chunks + kChunksPerBlock - 1) / kChunksPerBlock}, kThreads, context.stream(), tensors...,
         chunks, lrn.chunksPerRow(), lrn.parameters);
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
  launchInChunks("lrnForwardKernel", lrn.hasThreeQuarters() ? lrnForwardKernel<T, true> : lrnForwardKernel<T, false>,
                 lrn, context, input, output);
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
  launchInChunks("lrnBackwardKernel", lrn.hasThreeQuarters() ? lrnBackwardKernel<T, true> : lrnBackwardKernel<T, false>,
                 lrn, context, input, outputGradient, inputGradient);
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
