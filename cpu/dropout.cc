// Dropout: output = input * mask / (1 - rate), the mask drawn by core/random.h. paper 4.2
//   input, output [N, C]   fp32 or bf16
// Element (n, c) has the index i = n * features + offset + c in the whole net and lives by word i % 4 of
// block i / 4.
#include <algorithm>

#include "../core/random.h"
#include "bytes.h"
#include "device.h"

namespace alexnet::cpu {
namespace {

constexpr int64_t kBlocks = 64;  // drawn at a time, so that the rounds of different blocks fill the vectors

struct Draws {
  uint32_t words[4 * kBlocks];
};

// The words of the blocks block .. block + kBlocks - 1, in the order of the elements.
ALEXNET_VECTORIZED void draw(const Dropout& operation, uint32_t block, Draws& draws) {
  Philox4 drawn[kBlocks];
  for (int64_t b = 0; b < kBlocks; ++b) {
    drawn[b] = dropoutWords(operation.seed, operation.step, operation.layer, block + static_cast<uint32_t>(b));
  }
  for (int64_t b = 0; b < kBlocks; ++b) {
    draws.words[4 * b] = drawn[b].x;
    draws.words[4 * b + 1] = drawn[b].y;
    draws.words[4 * b + 2] = drawn[b].z;
    draws.words[4 * b + 3] = drawn[b].w;
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
    const int64_t block = (first + c) / 4;
    draw(operation, static_cast<uint32_t>(block), draws);
    const int64_t end = std::min(width, 4 * (block + kBlocks) - first);
    for (; c < end; ++c) {
      const bool lives = draws.words[first + c - 4 * block] >= threshold;
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
