// Fully connected layers, forward and backward.
//   output[n,o] = activation(bias[o] + sum over i of input[n,i] * weights[o,i] + addend[n,o])
//   inputGradient[n,i] = sum over o of outputGradient[n,o] * weights[o,i]
//   weightGradient[o,i] = sum over n of outputGradient[n,o] * input[n,i];  biasGradient[o] = sum over n of outputGradient
//   input [N, I], weights [O, I] fp32 or bf16; output [N, O] that type or fp32; weightGradient [O, I], bias [O],
//   addend [N, O] fp32
// One picture forward is a matrix times a vector, bound by reading the weights once: linearVectorKernel. All else is a
// convolution of pictures of one pixel (conv2d*.cu): N x 1 x 1 pixels, windows of 1 x 1, I channels, O kernels.
// Mapping   linearVectorKernel: a warp for an output. Its lanes read the row of weights in pieces of 16 bytes side by side,
//           with four in flight, and add up their sums by shuffles.
// Requires  nothing: single values where I or the tensors' starts are not multiples of 16 bytes.
// Bound     memory for few pictures, arithmetic for many.
// Checked   test/ops/linear.test.ts
#include "linear.h"

#include "../gemm/gemm.cuh"
#include "../runtime/launch.cuh"
#include "conv2d.h"

namespace alexnet::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr unsigned kWarp = 0xffffffffU;

// kValues neighbouring products, summed.
template <int kValues, class T>
__device__ float products(const T* input, const T* weights) {
  float sum = 0.0F;
  if constexpr (kValues == 1) {
    sum = widen(*input) * widen(*weights);
  } else {
    constexpr int kPieceValues = 16 / sizeof(T);
    static_assert(kValues == kPieceValues, "one piece of 16 bytes");
    float a[kValues], b[kValues];
    if constexpr (kValues == 4)
      load4(input, a), load4(weights, b);
    else
      load8(input, a), load8(weights, b);
#pragma unroll
    for (int i = 0; i < kValues; ++i) sum = fmaf(a[i], b[i], sum);
  }
  return sum;
}

template <class T, int kValues>
__global__ void __launch_bounds__(kThreads)
    linearVectorKernel(const T* __restrict__ input, const T* __restrict__ weights, int64_t inputs, int64_t outputs,
                       Epilogue epilogue) {
  const int64_t output = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / 32;
  if (output >= outputs) return;  // the whole warp
  const T* const row = weights + output * inputs;
  float sum = 0.0F;
#pragma unroll 4
  for (int64_t i = threadIdx.x % 32 * kValues; i < inputs; i += 32 * kValues) {
    sum += products<kValues>(input + i, row + i);
  }
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) sum += __shfl_xor_sync(kWarp, sum, distance);
  const float sums[4] = {sum, 0.0F, 0.0F, 0.0F};
  if (threadIdx.x % 32 == 0) finish(epilogue, 0, output, output + 1, sums);
}

template <class T, int kValues>
void launchVector(const Linear& operation, Context& context) {
  const int64_t outputs = operation.weights.dimension(0);
  Epilogue epilogue = epilogueOf(operation.output, outputs, 1);
  epilogue.activation = operation.activation;
  epilogue.bias = floatsOf(operation.bias);
  epilogue.addend = floatsOf(operation.addend);
  launch("linearVectorKernel", linearVectorKernel<T, kValues>, {(outputs + kWarps - 1) / kWarps}, kThreads,
         context.stream(), operation.input.data<T>(), operation.weights.data<T>(), operation.weights.dimension(1),
         outputs, epilogue);
}

template <class T>
void launchVectorOf(const Linear& operation, Context& context) {
  const int64_t inputs = operation.weights.dimension(1);
  const bool vector = allowsVectorLoads(operation.input, inputs) && allowsVectorLoads(operation.weights, inputs);
  return vector ? launchVector<T, 16 / sizeof(T)>(operation, context) : launchVector<T, 1>(operation, context);
}

// A matrix [A, B] as [A, 1, 1, B]: pictures of one pixel, or windows of one.
Tensor pixels(const Tensor& matrix) {
  Tensor result = matrix;
  if (result) result.shape = {matrix.dimension(0), 1, 1, matrix.dimension(1)};
  return result;
}

}  // namespace

void linearForward(const Linear& operation, Context& context) {
  if (operation.input.dimension(0) == 1) {
    return operation.input.type == DataType::float32 ? launchVectorOf<float>(operation, context)
                                                     : launchVectorOf<__nv_bfloat16>(operation, context);
  }
  Conv2d convolution;
  convolution.input = pixels(operation.input);
  convolution.weights = pixels(operation.weights);
  convolution.bias = operation.bias;
  convolution.addend = pixels(operation.addend);
  convolution.output = pixels(operation.output);
  convolution.activation = operation.activation;
  convolution.tf32 = operation.tf32;
  conv2dForward(convolution, context);
}

void linearBackwardInput(const LinearBackwardInput& operation, Context& context) {
  conv2dBackwardInput({pixels(operation.outputGradient), pixels(operation.weights), pixels(operation.inputGradient),
                       ConvShape(), operation.tf32},
                      context);
}

void linearBackwardWeights(const LinearBackwardWeights& operation, Context& context) {
  conv2dBackwardWeights({pixels(operation.input), pixels(operation.outputGradient), pixels(operation.weightGradient),
                         operation.biasGradient, ConvShape(), operation.tf32},
                        context);
}

}  // namespace alexnet::cuda
