// Initial weights: output[i] = deviation * the i-th draw of the normal stream (seed, stream).
//   output of any shape, seen as [elements]   fp32, drawn in double
// The draws are those of normalPair in core/random.h, with the angle in turns: sine and cosine of a turn need no reduction
// by 2 pi, whose general case would take local memory.
// Mapping   a thread takes a pair of draws.
// Requires  nothing.
// Bound     arithmetic in double; runs once in a model's life.
// Checked   test/ops/normal.test.ts
#include "../../core/random.h"
#include "../runtime/launch.cuh"
#include "operations.h"

namespace alexnet::cuda {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    normalKernel(float* output, int64_t elements, uint64_t seed, uint32_t stream, float deviation) {
  const int64_t pair = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (2 * pair >= elements) return;
  const Philox4 words = philox(seed, {static_cast<uint32_t>(pair), static_cast<uint32_t>(pair >> 32), stream,
                                      static_cast<uint32_t>(Draw::weights)});
  const double radius = sqrt(-2.0 * log((words.x + 0.5) * 0x1p-32));
  double sine, cosine;
  sincospi(2.0 * ((words.y + 0.5) * 0x1p-32), &sine, &cosine);
  output[2 * pair] = deviation * static_cast<float>(radius * cosine);
  if (2 * pair + 1 < elements) output[2 * pair + 1] = deviation * static_cast<float>(radius * sine);
}

}  // namespace

void normal(const Normal& operation, Context& context) {
  const int64_t elements = operation.output.elements();
  const int64_t pairs = (elements + 1) / 2;
  launch("normalKernel", normalKernel, Grid{(pairs + kThreads - 1) / kThreads}, kThreads, context.stream(),
         operation.output.mutableData<float>(), elements, operation.seed, operation.stream, operation.deviation);
}

}  // namespace alexnet::cuda
