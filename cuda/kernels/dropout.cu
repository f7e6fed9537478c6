// Dropout: output = input * mask / (1 - rate). The mask is drawn, not stored, so the backward pass is the same call.
//                                                                                                             paper 4.2
//   input, output [N, C]   fp32 or bf16
//   Element (n, c) has the index i = n * features + offset + c in the whole net, and lives where word i % 4 of Philox
//   4x32-10 at counter i / 4 is at or above rate * 2^32 (core/random.h).
// Mapping   a thread takes the elements of one counter: up to 4 neighbours in a row.
// Requires  N (C + 6) / 4 < 2^39. May run in place.
// Bound     memory: reads the input once, writes the output once; 4 elements at once where they are aligned.
// Checked   test/ops/dropout.test.ts
#include "../../core/random.h"
#include "../runtime/launch.cuh"
#include "../runtime/vector.cuh"
#include "operations.h"

namespace alexnet::cuda {
namespace {

constexpr int kThreads = 256;

struct MaskDraw {
  uint64_t seed;
  uint32_t step, layer, threshold;
  float scale;
  int64_t width, features, offset;
  int64_t countersPerRow;
};

template <class T>
__global__ void __launch_bounds__(kThreads) dropoutKernel(const T* input, T* output, MaskDraw draw, int64_t threads) {
  const int64_t thread = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (thread >= threads) return;
  const int64_t n = thread / draw.countersPerRow;
  const int64_t first = n * draw.features + draw.offset;  // index of element (n, 0)
  const int64_t counter = first / 4 + thread % draw.countersPerRow;
  const int64_t c = counter * 4 - first;  // of the first word; the row may begin or end within the four
  if (c >= draw.width) return;
  const Philox4 words = dropoutWords(draw.seed, draw.step, draw.layer, static_cast<uint32_t>(counter));
  const bool lives[4] = {words.x >= draw.threshold, words.y >= draw.threshold, words.z >= draw.threshold,
                         words.w >= draw.threshold};
  const T* const source = input + n * draw.width + c;
  T* const destination = output + n * draw.width + c;
  const uintptr_t places = reinterpret_cast<uintptr_t>(source) | reinterpret_cast<uintptr_t>(destination);
  if (c >= 0 && c + 4 <= draw.width && places % (4 * sizeof(T)) == 0) {
    float values[4];
    load4(source, values);
#pragma unroll
    for (int i = 0; i < 4; ++i) values[i] = lives[i] ? values[i] * draw.scale : 0.0F;
    store4(destination, values);
    return;
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if (c + i >= 0 && c + i < draw.width) {
      narrow(lives[i] ? widen(source[i]) * draw.scale : 0.0F, destination[i]);
    }
  }
}

template <class T>
void launchDropout(const Dropout& operation, Context& context) {
  const int64_t width = operation.input.dimension(1);
  const int64_t countersPerRow = (width + 6) / 4;  // the row may begin at a counter's last word
  const int64_t threads = operation.input.dimension(0) * countersPerRow;
  const MaskDraw draw{operation.seed,
                      operation.step,
                      operation.layer,
                      dropoutThreshold(operation.rate),
                      1.0F / (1.0F - operation.rate),
                      width,
                      operation.features,
                      operation.offset,
                      countersPerRow};
  launchOrUpdate("dropoutKernel", dropoutKernel<T>, Grid{(threads + kThreads - 1) / kThreads}, kThreads, context,
                 operation.input.data<T>(), operation.output.mutableData<T>(), draw, threads);
}

}  // namespace

void dropout(const Dropout& operation, Context& context) {
  return operation.input.type == DataType::float32 ? launchDropout<float>(operation, context)
                                                   : launchDropout<__nv_bfloat16>(operation, context);
}

}  // namespace alexnet::cuda
