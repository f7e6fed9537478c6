// ReLU, tanh and sigmoid, forward and backward.                                                              paper 3.1
//   forward    output = max(0, input), tanh(input) or 1 / (1 + exp(-input))
//   backward   inputGradient = outputGradient * f'(x), from the output: 1 where output > 0, 1 - output^2, or
//              output * (1 - output)
//              NaN stays NaN
//   tensors of any shape, seen as [elements]   fp32 or bf16, worked on in fp32
// Mapping   a thread takes a chunk of 8 elements.
// Requires  nothing; 16-byte accesses where all tensors are aligned to 16 bytes, element by element where not. Both may run
//           in place.
// Bound     memory: reads each input once, writes the output once.
// Checked   test/ops/activate.test.ts
#include <type_traits>

#include "../runtime/activation.cuh"
#include "chunks.cuh"
#include "operations.h"

namespace alexnet::cuda {
namespace {

template <class T, Activation kActivation>
__global__ void __launch_bounds__(kChunkThreads)
    activateForwardKernel(const T* input, T* output, int64_t elements, bool wide) {
  const ChunkPlace at = chunkOf(elements);
  float values[kChunk];
  loadChunk(input + at.begin, values, at.count, wide);
#pragma unroll
  for (int i = 0; i < kChunk; ++i) values[i] = activated(values[i], kActivation);
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
  for (int i = 0; i < kChunk; ++i) gradients[i] *= slope(outputs[i], kActivation);
  storeChunk(inputGradient + at.begin, gradients, at.count, wide);
}

// Calls launch(element, activation) with the two as types: kernels are compiled for each.
template <class Launch>
void withTypes(DataType type, Activation activation, const Launch& launch) {
  const auto with = [&](auto element) {
    switch (activation) {
      case Activation::none: return;
      case Activation::relu: return launch(element, std::integral_constant<Activation, Activation::relu>());
      case Activation::tanh: return launch(element, std::integral_constant<Activation, Activation::tanh>());
      case Activation::sigmoid: return launch(element, std::integral_constant<Activation, Activation::sigmoid>());
    }
  };
  if (type == DataType::float32) return with(float());
  with(__nv_bfloat16());
}

}  // namespace

void activateForward(const Activate& operation, Context& context) {
  withTypes(operation.input.type, operation.activation, [&](auto element, auto activation) {
    using T = decltype(element);
    const T* const input = operation.input.data<T>();
    T* const output = operation.output.mutableData<T>();
    launchChunks("activateForwardKernel", activateForwardKernel<T, activation()>, context, operation.input.elements(),
                 {input, output}, input, output);
  });
}

void activateBackward(const ActivateBackward& operation, Context& context) {
  withTypes(operation.output.type, operation.activation, [&](auto element, auto activation) {
    using T = decltype(element);
    const T* const output = operation.output.data<T>();
    const T* const outputGradient = operation.outputGradient.data<T>();
    T* const inputGradient = operation.inputGradient.mutableData<T>();
    launchChunks("activateBackwardKernel", activateBackwardKernel<T, activation()>, context,
                 operation.output.elements(), {output, outputGradient, inputGradient}, output, outputGradient,
                 inputGradient);
  });
}

}  // namespace alexnet::cuda
