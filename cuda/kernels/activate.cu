// ReLU and tanh, forward and backward.                                                                       paper 3.1
//   forward    output = max(0, input) or tanh(input)
//   backward   inputGradient = outputGradient * f'(x), from the output: 1 where output > 0, or 1 - output^2
//              NaN stays NaN
//   tensors of any shape, seen as [elements]   fp32 or bf16, worked on in fp32
// Mapping   a thread takes a chunk of 8 elements.
// Requires  nothing; 16-byte accesses where all tensors are aligned to 16 bytes, element by element where not. Both may run
//           in place.
// Bound     memory: reads each input once, writes the output once.
// Checked   test/ops/activate.test.ts
#include "chunks.cuh"
#include "operations.h"
#include "relu.cuh"

namespace alexnet::cuda {
namespace {

// NaN must stay NaN; fmaxf(x, 0) would return 0.
template <Activation kActivation>
__device__ float activated(float x) {
  return kActivation == Activation::relu ? (x < 0 ? 0.0F : x) : tanhf(x);
}

template <Activation kActivation>
__device__ float slope(float output) {
  if (kActivation == Activation::relu) return reluSlope(output);
  return 1.0F - output * output;
}

template <class T, Activation kActivation>
__global__ void __launch_bounds__(kChunkThreads)
    activateForwardKernel(const T* input, T* output, int64_t elements, bool wide) {
  const ChunkPlace at = chunkOf(elements);
  float values[kChunk];
  loadChunk(input + at.begin, values, at.count, wide);
#pragma unroll
  for (int i = 0; i < kChunk; ++i) values[i] = activated<kActivation>(values[i]);
  storeChunk(output + at.begin, values, at.count, wide);
}

template <class T, Activation kActivation>
__global__ void __launch_bounds__(kChunkThreads)
    activateBackwardKernel(const T* output, const T* outputGradient, T* inputGradient, int64_t elements, bool wide) {
  const ChunkPlace at = chunkOf(elements);
  float outputs[kChunk], gradients[kChunk];
  loadChunk(output + at.begin, outputs, at.count, wide);
  loadChunk(outputGradient + at.begin, gradients, at.count, wide);
#pragma unroll
  for (int i = 0; i < kChunk; ++i) gradients[i] *= slope<kActivation>(outputs[i]);
  storeChunk(inputGradient + at.begin, gradients, at.count, wide);
}

template <class T, Activation kActivation>
void launchForward(const Activate& operation, Context& context) {
  const T* const input = operation.input.data<T>();
  T* const output = operation.output.mutableData<T>();
  launchChunks("activateForwardKernel", activateForwardKernel<T, kActivation>, context, operation.input.elements(),
               {input, output}, input, output);
}

template <class T, Activation kActivation>
void launchBackward(const ActivateBackward& operation, Context& context) {
  const T* const output = operation.output.data<T>();
  const T* const outputGradient = operation.outputGradient.data<T>();
  T* const inputGradient = operation.inputGradient.mutableData<T>();
  launchChunks("activateBackwardKernel", activateBackwardKernel<T, kActivation>, context, operation.output.elements(),
               {output, outputGradient, inputGradient}, output, outputGradient, inputGradient);
}

}  // namespace

void activateForward(const Activate& operation, Context& context) {
  const bool single = operation.input.type == DataType::float32;
  if (operation.activation == Activation::relu) {
    return single ? launchForward<float, Activation::relu>(operation, context)
                  : launchForward<__nv_bfloat16, Activation::relu>(operation, context);
  }
  return single ? launchForward<float, Activation::tanh>(operation, context)
                : launchForward<__nv_bfloat16, Activation::tanh>(operation, context);
}

void activateBackward(const ActivateBackward& operation, Context& context) {
  const bool single = operation.output.type == DataType::float32;
  if (operation.activation == Activation::relu) {
    return single ? launchBackward<float, Activation::relu>(operation, context)
                  : launchBackward<__nv_bfloat16, Activation::relu>(operation, context);
  }
  return single ? launchBackward<float, Activation::tanh>(operation, context)
                : launchBackward<__nv_bfloat16, Activation::tanh>(operation, context);
}

}  // namespace alexnet::cuda
