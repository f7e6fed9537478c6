// Momentum SGD with weight decay, all parameters in one launch.                                                 paper 5
//   v <- momentum v - weightDecay rate w - rate gradient;  w <- w + v;  copy = w
//   weights, velocity, gradient fp32, copy bf16   of any shape, seen as [elements]
// Mapping   blocks are dealt out to the parameters in order, each 2048 elements of one; a thread takes a chunk of 8.
// Requires  nothing; 16-byte accesses where a parameter's tensors are aligned to 16 bytes, element by element where not.
//           The table of parameters is a kernel argument: every 64 parameters take a launch.
// Bound     memory: 20 bytes a weight, 22 with the bf16 copy.
// Checked   test/ops/sgd.test.ts
#include <algorithm>

#include "../runtime/launch.cuh"
#include "../runtime/vector.cuh"
#include "operations.h"

namespace alexnet::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kChunk = 8;
constexpr int64_t kPerBlock = int64_t{kThreads} * kChunk;
constexpr size_t kMostParameters = 64;

struct Parameter {
  float* weights;
  float* velocity;
  const float* gradient;
  __nv_bfloat16* copy;  // or null
  int64_t elements;
  float rate, decay;  // decay: weightDecay * rate
  uint32_t end;       // the first block after this parameter's
  bool wide;
};

struct Table {
  Parameter parameters[kMostParameters];
};
static_assert(sizeof(Table) <= 4000, "kernel arguments have 4096 bytes at most");

__global__ void __launch_bounds__(kThreads) sgdKernel(const __grid_constant__ Table table, float momentum) {
  int index = 0;
  while (blockIdx.x >= table.parameters[index].end) ++index;
  const Parameter& parameter = table.parameters[index];
  const uint32_t first = index == 0 ? 0 : table.parameters[index - 1].end;
  const int64_t begin =
      static_cast<int64_t>(blockIdx.x - first) * kPerBlock + static_cast<int64_t>(threadIdx.x) * kChunk;
  const int64_t left = parameter.elements - begin;
  if (left <= 0) return;
  const int count = left < kChunk ? static_cast<int>(left) : kChunk;

  float weights[kChunk], velocity[kChunk], gradient[kChunk];
  loadChunk(parameter.weights + begin, weights, count, parameter.wide);
  loadChunk(parameter.velocity + begin, velocity, count, parameter.wide);
  loadChunk(parameter.gradient + begin, gradient, count, parameter.wide);
#pragma unroll
  for (int i = 0; i < kChunk; ++i) {
    velocity[i] = momentum * velocity[i] - parameter.decay * weights[i] - parameter.rate * gradient[i];
    weights[i] += velocity[i];
  }
  storeChunk(parameter.velocity + begin, velocity, count, parameter.wide);
  storeChunk(parameter.weights + begin, weights, count, parameter.wide);
  if (parameter.copy) storeChunk(parameter.copy + begin, weights, count, parameter.wide);
}

Parameter prepared(const SgdParameter& parameter) {
  Parameter result{};
  result.weights = parameter.weights.mutableData<float>();
  result.velocity = parameter.velocity.mutableData<float>();
  result.gradient = parameter.gradient.data<float>();
  result.copy = parameter.copy ? parameter.copy.mutableData<__nv_bfloat16>() : nullptr;
  result.elements = parameter.weights.elements();
  result.rate = parameter.learningRate;
  result.decay = parameter.weightDecay * parameter.learningRate;
  result.wide = areWide({result.weights, result.velocity, result.gradient, result.copy});
  return result;
}

}  // namespace

void sgd(const Sgd& operation, Context& context) {
  const auto& parameters = operation.parameters;
  for (size_t first = 0; first < parameters.size(); first += kMostParameters) {
    Table table{};
    int64_t blocks = 0;
    const size_t count = std::min(kMostParameters, parameters.size() - first);
    for (size_t i = 0; i < count; ++i) {
      table.parameters[i] = prepared(parameters[first + i]);
      blocks += (table.parameters[i].elements + kPerBlock - 1) / kPerBlock;
      table.parameters[i].end = static_cast<uint32_t>(blocks);  // launch() refuses more than fit
    }
    launch("sgdKernel", sgdKernel, Grid{blocks}, kThreads, context.stream(), table, operation.momentum);
  }
}

}  // namespace alexnet::cuda
