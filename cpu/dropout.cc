// Dropout: output = input * mask / (1 - rate), the mask drawn by core/random.h. paper 4.2
//   input, output [N, C]   fp32 or bf16
// Element (n, c) has the index i = n * features + offset + c in the whole net and lives by word i % 4 of Philox at
// counter i / 4.
#include <algorithm>

#include "../core/random.h"
#include "bytes.h"
#include "device.h"

namespace alexnet::cpu {
namespace {

constexpr int64_t kCounters = 64;  // drawn at a time, so that their rounds fill the vectors

struct Draws {
  uint32_t words[4 * kCounters];
};

// The words of the counters counter .. counter + kCounters - 1, in the order of the elements.
ALEXNET_VECTORIZED void draw(const Dropout& operation, uint32_t counter, Draws& draws) {
  Philox4 drawn[kCounters];
  for (int64_t i = 0; i < kCounters; ++i) {
    drawn[i] = dropoutWords(operation.seed, operation.step, operation.layer, counter + static_cast<uint32_t>(i));
  }
  for (int64_t i = 0; i < kCounters; ++i) {
    draws.words[4 * i] = drawn[i].x;
    draws.words[4 * i + 1] = drawn[i].y;
    draws.words[4 * i + 2] = drawn[i].z;
    draws.words[4 * i + 3] = drawn[i].w;
  }
}

template <class Real>
void dropRow(const Dropout& operation, int64_t n, const Real* input, Real* output) {
  const int64_t width = operation.input.dimension(1);
  const int64_t first = n * operation.features + operation.offset;  // index of element (n, 0) in the whole net
  const uint32_t threshold = dropoutThreshold(operation.rate);
  const float scale = 1.0F / (1.0F - operation.rate);
  Draws draws;
  for (int64_t c = 0; c < width;) {
    const int64_t counter = (first + c) / 4;
    draw(operation, static_cast<uint32_t>(counter), draws);
    const int64_t end = std::min(width, 4 * (counter + kCounters) - first);
    for (; c < end; ++c) {
      const bool lives = draws.words[first + c - 4 * counter] >= threshold;
      output[c] = narrow<Real>(lives ? widen(input[c]) * scale : 0.0F);
    }
  }
}

template <class Real>
void dropout(const Dropout& operation) {
  const int64_t width = operation.input.dimension(1);
  const Real* const input = operation.input.data<Real>();
  Real* const output = operation.output.mutableData<Real>();
#pragma omp parallel for schedule(static)
  for (int64_t n = 0; n < operation.input.dimension(0); ++n) {
    dropRow(operation, n, input + n * width, output + n * width);
  }
}

}  // namespace

void CpuDevice::run(const Dropout& operation) {
  operation.input.type == DataType::float32 ? dropout<float>(operation) : dropout<Bfloat16>(operation);
}

}  // namespace alexnet::cpu
