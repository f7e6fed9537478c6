// Cast, fill and add: element by element.
//   cast   output = input, rounded to nearest even where output is narrower    fp32 <-> bf16, uint8 or int32 -> fp32
//   fill   output = value                                                      fp32 or bf16
//   add    output = input + addend, in fp32                                    fp32 or bf16, all three alike
//   tensors of any shape, seen as [elements]
// Mapping   a thread takes a chunk of 8 elements.
// Requires  nothing; 16-byte accesses where all tensors are aligned to 16 bytes, element by element where not. add may run
//           in place.
// Bound     memory: reads each input once, writes the output once.
// Checked   test/ops/cast.test.ts, test/ops/add.test.ts
#include "chunks.cuh"
#include "operations.h"

namespace alexnet::cuda {
namespace {

template <class From, class To>
__global__ void __launch_bounds__(kChunkThreads)
    castKernel(const From* __restrict__ input, To* __restrict__ output, int64_t elements, bool wide) {
  const ChunkPlace at = chunkOf(elements);
  float values[kChunk];
  loadChunk(input + at.begin, values, at.count, wide);
  storeChunk(output + at.begin, values, at.count, wide);
}

template <class T>
__global__ void __launch_bounds__(kChunkThreads) fillKernel(T* output, float value, int64_t elements, bool wide) {
  const ChunkPlace at = chunkOf(elements);
  const float values[kChunk] = {value, value, value, value, value, value, value, value};
  storeChunk(output + at.begin, values, at.count, wide);
}

template <class T>
__global__ void __launch_bounds__(kChunkThreads)
    addKernel(const T* input, const T* addend, T* output, int64_t elements, bool wide) {
  const ChunkPlace at = chunkOf(elements);
  float values[kChunk], addends[kChunk];
  loadChunk(input + at.begin, values, at.count, wide);
  loadChunk(addend + at.begin, addends, at.count, wide);
#pragma unroll
  for (int i = 0; i < kChunk; ++i) values[i] += addends[i];
  storeChunk(output + at.begin, values, at.count, wide);
}

template <class From, class To>
void launchCast(const Cast& operation, Context& context) {
  const From* const input = operation.input.data<From>();
  To* const output = operation.output.mutableData<To>();
  launchChunks("castKernel", castKernel<From, To>, context, operation.input.elements(), {input, output}, input, output);
}

template <class T>
void launchFill(const Fill& operation, Context& context) {
  T* const output = operation.output.mutableData<T>();
  launchChunks("fillKernel", fillKernel<T>, context, operation.output.elements(), {output}, output, operation.value);
}

template <class T>
void launchAdd(const Add& operation, Context& context) {
  const T* const input = operation.input.data<T>();
  const T* const addend = operation.addend.data<T>();
  T* const output = operation.output.mutableData<T>();
  launchChunks("addKernel", addKernel<T>, context, operation.input.elements(), {input, addend, output}, input, addend,
               output);
}

}  // namespace

cudaError_t findKernels(int& computeCapability) {
  cudaFuncAttributes attributes = {};
  const cudaError_t status = cudaFuncGetAttributes(&attributes, fillKernel<float>);
  computeCapability = attributes.ptxVersion;
  return status;
}

void cast(const Cast& operation, Context& context) {
  switch (operation.input.type) {
    case DataType::uint8: return launchCast<uint8_t, float>(operation, context);
    case DataType::int32: return launchCast<int32_t, float>(operation, context);
    case DataType::float32: return launchCast<float, __nv_bfloat16>(operation, context);
    case DataType::bfloat16: return launchCast<__nv_bfloat16, float>(operation, context);
  }
}

void fill(const Fill& operation, Context& context) {
  return operation.output.type == DataType::float32 ? launchFill<float>(operation, context)
                                                    : launchFill<__nv_bfloat16>(operation, context);
}

void add(const Add& operation, Context& context) {
  return operation.input.type == DataType::float32 ? launchAdd<float>(operation, context)
                                                   : launchAdd<__nv_bfloat16>(operation, context);
}

}  // namespace alexnet::cuda
