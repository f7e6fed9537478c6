// Initial weights: output[i] = deviation * the i-th draw of the normal stream (seed, stream).
//   output of any shape   fp32
#include "../core/random.h"
#include "bytes.h"
#include "device.h"

namespace alexnet::cpu {

void CpuDevice::run(const Normal& operation) {
  auto* const output = operation.output.mutableData<float>();
  const int64_t elements = operation.output.elements();
  inPieces((elements + 1) / 2, [&](int64_t begin, int64_t end) {
    for (int64_t pair = begin; pair < end; ++pair) {
      const auto drawn = normalPair(operation.seed, operation.stream, static_cast<uint64_t>(pair));
      output[2 * pair] = operation.deviation * drawn[0];
      if (2 * pair + 1 < elements) output[2 * pair + 1] = operation.deviation * drawn[1];
    }
  });
}

}  // namespace alexnet::cpu
