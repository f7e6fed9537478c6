// Softmax, and its mean cross-entropy loss with the gradient and the top-1 and top-5 counts.
//   probabilities[n,k] = exp(z[n,k] - max z[n]) / sum exp(z[n] - max z[n])
//   result   = [sum of log(sum exp(z[n] - z[n,label])), labels that are the best logit, labels among the five best]
//   gradient = (probabilities - [k = label]) / N
//   logits z, probabilities [N, K] fp32, labels [N] int32, result [3] fp32, gradient [N, K] fp32 or bf16
// Mapping   a block takes a row; then one block adds up the rows' losses. All sums have a fixed order. Of equal logits the
//           lower class ranks first; a row with a NaN is never right.
// Requires  labels that are classes.
// Bound     latency: a row is read three times, twice from the caches.
// Checked   test/ops/softmax.test.ts
#include "../runtime/launch.cuh"
#include "../runtime/vector.cuh"
#include "operations.h"

namespace alexnet::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / 32;
constexpr unsigned kWarp = 0xffffffffU;

struct RowResult {
  float loss;
  int rank;  // how many classes come before the label; at least 5 in a row with a NaN
};

struct Add2 {
  template <class V>
  __device__ V operator()(V a, V b) const {
    return a + b;
  }
};
struct Larger {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

// Block-wide reduction in a fixed order; every thread gets the result. `partial` may be reused afterwards.
template <class V, class Combine>
__device__ V overBlock(V value, Combine combine, V (&partial)[kWarps]) {
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) value = combine(value, __shfl_xor_sync(kWarp, value, offset));
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  value = partial[0];
#pragma unroll
  for (int warp = 1; warp < kWarps; ++warp) value = combine(value, partial[warp]);
  __syncthreads();
  return value;
}

struct RowSum {
  float largest;
  float sum;  // of exp(z - largest)
};
__device__ RowSum sumOfRow(const float* __restrict__ logits, int classes) {
  __shared__ float partial[kWarps];
  float largest = -INFINITY;
  for (int k = threadIdx.x; k < classes; k += kThreads) largest = fmaxf(largest, logits[k]);
  largest = overBlock(largest, Larger(), partial);
  float sum = 0;
  for (int k = threadIdx.x; k < classes; k += kThreads) sum += expf(logits[k] - largest);
  return {largest, overBlock(sum, Add2(), partial)};
}

__global__ void __launch_bounds__(kThreads)
    softmaxKernel(const float* __restrict__ logits, float* __restrict__ probabilities, int classes) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * classes;
  const RowSum of = sumOfRow(logits + row, classes);
  for (int k = threadIdx.x; k < classes; k += kThreads) {
    probabilities[row + k] = expf(logits[row + k] - of.largest) / of.sum;
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    softmaxLossKernel(const float* __restrict__ logits, const int32_t* __restrict__ labels, T* __restrict__ gradient,
                      RowResult* __restrict__ rows, int classes) {
  __shared__ int partial[kWarps];
  const int64_t row = static_cast<int64_t>(blockIdx.x) * classes;
  const float* const z = logits + row;
  const int label = labels[blockIdx.x];
  const float right = z[label];
  const RowSum of = sumOfRow(z, classes);
  const auto count = static_cast<float>(gridDim.x);
  int rank = 0;
  for (int k = threadIdx.x; k < classes; k += kThreads) {
    const float other = z[k];
    rank += other != other ? 5 : other > right || (other == right && k < label) ? 1 : 0;
    if (gradient) narrow((expf(other - of.largest) / of.sum - (k == label ? 1.0F : 0.0F)) / count, gradient[row + k]);
  }
  rank = overBlock(rank, Add2(), partial);
  if (threadIdx.x == 0) rows[blockIdx.x] = {logf(of.sum) + (of.largest - right), rank};
}

__global__ void __launch_bounds__(kThreads)
    softmaxLossSumKernel(const RowResult* __restrict__ rows, int64_t count, float* __restrict__ result) {
  __shared__ double lossPartial[kWarps];
  __shared__ int partial[kWarps];
  double loss = 0;
  int top1 = 0;
  int top5 = 0;
  for (int64_t n = threadIdx.x; n < count; n += kThreads) {
    loss += rows[n].loss;
    top1 += rows[n].rank < 1;
    top5 += rows[n].rank < 5;
  }
  loss = overBlock(loss, Add2(), lossPartial);
  top1 = overBlock(top1, Add2(), partial);
  top5 = overBlock(top5, Add2(), partial);
  if (threadIdx.x == 0) {
    result[0] = static_cast<float>(loss);
    result[1] = static_cast<float>(top1);
    result[2] = static_cast<float>(top5);
  }
}

template <class T>
void launchLoss(const SoftmaxLoss& operation, Context& context, RowResult* rows) {
  T* const gradient = operation.gradient ? operation.gradient.mutableData<T>() : nullptr;
  launch("softmaxLossKernel", softmaxLossKernel<T>, Grid{operation.logits.dimension(0)}, kThreads, context.stream(),
         operation.logits.data<float>(), operation.labels.data<int32_t>(), gradient, rows,
         static_cast<int>(operation.logits.dimension(1)));
}

}  // namespace

void softmaxLoss(const SoftmaxLoss& operation, Context& context) {
  const int64_t count = operation.logits.dimension(0);
  auto* const rows = static_cast<RowResult*>(context.scratch(static_cast<size_t>(count) * sizeof(RowResult)));
  const bool half = operation.gradient && operation.gradient.type == DataType::bfloat16;
  half ? launchLoss<__nv_bfloat16>(operation, context, rows) : launchLoss<float>(operation, context, rows);
  launch("softmaxLossSumKernel", softmaxLossSumKernel, Grid{1}, kThreads, context.stream(), rows, count,
         operation.result.mutableData<float>());
}

void softmax(const Softmax& operation, Context& context) {
  launch("softmaxKernel", softmaxKernel, Grid{operation.logits.dimension(0)}, kThreads, context.stream(),
         operation.logits.data<float>(), operation.probabilities.mutableData<float>(),
         static_cast<int>(operation.logits.dimension(1)));
}

}  // namespace alexnet::cuda
