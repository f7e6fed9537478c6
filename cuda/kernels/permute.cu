// Permute: output's dimension i is input's dimension axes[i]; input or output may be a box within a larger tensor.
//   input, output   fp32, 4 dimensions
// Mapping   a thread takes one element of the box, in output's order.
// Requires  nothing.
// Bound     memory: coalesced writes, strided reads whose sectors the caches keep for the neighbours.
// Checked   test/ops/permute.test.ts
#include "../runtime/launch.cuh"
#include "operations.h"

namespace alexnet::cuda {
namespace {

constexpr int kThreads = 256;

// In output's order: the box, and strides in elements.
struct PermuteGeometry {
  int64_t box[4], inputStrides[4], outputStrides[4];
};

__global__ void __launch_bounds__(kThreads) permuteKernel(const float* __restrict__ input, float* __restrict__ output,
                                                          PermuteGeometry geometry, int64_t elements) {
  int64_t index = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (index >= elements) return;
  int64_t from = 0;
  int64_t to = 0;
#pragma unroll
  for (int i = 3; i >= 0; --i) {
    const int64_t place = index % geometry.box[i];
    index /= geometry.box[i];
    from += place * geometry.inputStrides[i];
    to += place * geometry.outputStrides[i];
  }
  output[to] = input[from];
}

Shape stridesOf(const Shape& shape) { return {shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1}; }

int64_t offsetOf(const Shape& start, const Shape& strides) {
  int64_t offset = 0;
  for (size_t i = 0; i < start.size(); ++i) offset += start[i] * strides[i];
  return offset;
}

}  // namespace

void permute(const Permute& operation, Context& context) {
  const Shape box = operation.box();
  const Shape inputStrides = stridesOf(operation.input.shape);
  const Shape outputStrides = stridesOf(operation.output.shape);
  PermuteGeometry geometry;
  for (size_t i = 0; i < 4; ++i) {
    geometry.box[i] = box[i];
    geometry.inputStrides[i] = inputStrides[static_cast<size_t>(operation.axes[i])];
    geometry.outputStrides[i] = outputStrides[i];
  }
  const int64_t elements = elementsOf(box);
  launch("permuteKernel", permuteKernel, Grid{(elements + kThreads - 1) / kThreads}, kThreads, context.stream(),
         operation.input.data<float>() + offsetOf(operation.inputStart, inputStrides),
         operation.output.mutableData<float>() + offsetOf(operation.outputStart, outputStrides), geometry, elements);
}

}  // namespace alexnet::cuda
