// Momentum SGD with weight decay, all parameters in one call.                                          paper 5
//   v <- momentum v - weightDecay rate w - rate gradient;  w <- w + v
//   weights, velocity, gradient fp32, copy bf16   of any shape
// One pass over memory, which bounds it: 20 bytes a weight, 22 with the bf16 copy.
#include "bytes.h"
#include "device.h"

namespace alexnet::cpu {
namespace {

struct Factors {
  float momentum, decay, rate;
};

ALEXNET_VECTORIZED void update(float* __restrict weights, float* __restrict velocity, const float* __restrict gradient,
                               int64_t elements, Factors factors) {
  for (int64_t i = 0; i < elements; ++i) {
    velocity[i] = factors.momentum * velocity[i] - factors.decay * weights[i] - factors.rate * gradient[i];
    weights[i] += velocity[i];
  }
}

ALEXNET_VECTORIZED void updateWithCopy(float* __restrict weights, float* __restrict velocity,
                                       const float* __restrict gradient, Bfloat16* __restrict copy, int64_t elements,
                                       Factors factors) {
  for (int64_t i = 0; i < elements; ++i) {
    velocity[i] = factors.momentum * velocity[i] - factors.decay * weights[i] - factors.rate * gradient[i];
    weights[i] += velocity[i];
    copy[i] = narrow<Bfloat16>(weights[i]);
  }
}

}  // namespace

void CpuDevice::run(const Sgd& operation) {
  for (const SgdParameter& parameter : operation.parameters) {
    auto* const weights = parameter.weights.mutableData<float>();
    auto* const velocity = parameter.velocity.mutableData<float>();
    const auto* const gradient = parameter.gradient.data<float>();
    auto* const copy = parameter.copy ? parameter.copy.mutableData<Bfloat16>() : nullptr;
    const Factors factors{operation.momentum, parameter.weightDecay * parameter.learningRate, parameter.learningRate};
    inPieces(parameter.weights.elements(), [&](int64_t begin, int64_t end) {
      if (copy) {
        updateWithCopy(weights + begin, velocity + begin, gradient + begin, copy + begin, end - begin, factors);
      } else {
        update(weights + begin, velocity + begin, gradient + begin, end - begin, factors);
      }
    });
  }
}

}  // namespace alexnet::cpu
