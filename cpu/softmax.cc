// Softmax and its cross-entropy loss.
//   logits, probabilities [N, K] fp32, labels [N], gradient [N, K] fp32 or bf16
// A row is summed in double and in the order of the classes, the rows in their order: results do not depend
// on threads.
#include <algorithm>
#include <cmath>

#include "bytes.h"
#include "device.h"

namespace alexnet::cpu {
namespace {

struct RowSum {
  double largest;
  double sum;  // of exp(logit - largest), so at least 1
};

RowSum sumOfRow(const float* logits, int64_t classes) {
  const double largest = *std::max_element(logits, logits + classes);
  double sum = 0;
  for (int64_t k = 0; k < classes; ++k) sum += std::exp(logits[k] - largest);
  return {largest, sum};
}

// At most 1, and NaN where any logit of the row is.
double probabilityOf(float logit, const RowSum& of) { return std::exp(logit - of.largest) / of.sum; }

// How many classes come before the label; all where a logit is not a number, which is never a right answer.
int64_t rankOf(int64_t label, const float* logits, int64_t classes) {
  int64_t rank = 0;
  for (int64_t k = 0; k < classes; ++k) {
    if (std::isnan(logits[k])) return classes + 5;
    if (logits[k] > logits[label] || (logits[k] == logits[label] && k < label)) ++rank;
  }
  return rank;
}

struct RowResult {
  double loss;
  int64_t rank;
};

template <class Real>
void writeGradient(const float* logits, const RowSum& of, int64_t label, int64_t count, int64_t classes,
                   Real* gradient) {
  for (int64_t k = 0; k < classes; ++k) {
    const double difference = probabilityOf(logits[k], of) - (k == label ? 1.0 : 0.0);
    gradient[k] = narrow<Real>(static_cast<float>(difference / static_cast<double>(count)));
  }
}

void requireLabels(const int32_t* labels, int64_t count, int64_t classes) {
  for (int64_t n = 0; n < count; ++n) {
    if (labels[n] >= 0 && labels[n] < classes) continue;
    throw Error(kLabel, "label " + std::to_string(labels[n]) + " of picture " + std::to_string(n) +
                            " is not one of the classes 0 to " + std::to_string(classes - 1) + ".");
  }
}

}  // namespace

void CpuDevice::run(const SoftmaxLoss& operation) {
  const int64_t count = operation.logits.dimension(0);
  const int64_t classes = operation.logits.dimension(1);
  const auto* const logits = operation.logits.data<float>();
  const auto* const labels = operation.labels.data<int32_t>();
  requireLabels(labels, count, classes);
  void* const gradient = operation.gradient ? operation.gradient.mutableData() : nullptr;
  const bool wide = operation.gradient && operation.gradient.type == DataType::float32;
  auto* const rows = reinterpret_cast<RowResult*>(primitives_.scratch(static_cast<size_t>(count) * sizeof(RowResult)));
#pragma omp parallel for schedule(static)
  for (int64_t n = 0; n < count; ++n) {
    const float* const row = logits + n * classes;
    const RowSum of = sumOfRow(row, classes);
    rows[n] = {std::log(of.sum) + (of.largest - row[labels[n]]), rankOf(labels[n], row, classes)};
    if (!gradient) continue;
    if (wide) {
      writeGradient(row, of, labels[n], count, classes, static_cast<float*>(gradient) + n * classes);
    } else {
      writeGradient(row, of, labels[n], count, classes, static_cast<Bfloat16*>(gradient) + n * classes);
    }
  }
  double loss = 0;
  int64_t top1 = 0;
  int64_t top5 = 0;
  for (int64_t n = 0; n < count; ++n) {
    loss += rows[n].loss;
    top1 += rows[n].rank < 1;
    top5 += rows[n].rank < 5;
  }
  auto* const result = operation.result.mutableData<float>();
  result[0] = static_cast<float>(loss);
  result[1] = static_cast<float>(top1);
  result[2] = static_cast<float>(top5);
}

void CpuDevice::run(const Softmax& operation) {
  const int64_t count = operation.logits.dimension(0);
  const int64_t classes = operation.logits.dimension(1);
  const auto* const logits = operation.logits.data<float>();
  auto* const probabilities = operation.probabilities.mutableData<float>();
#pragma omp parallel for schedule(static)
  for (int64_t n = 0; n < count; ++n) {
    const float* const row = logits + n * classes;
    const RowSum of = sumOfRow(row, classes);
    for (int64_t k = 0; k < classes; ++k) {
      probabilities[n * classes + k] = static_cast<float>(probabilityOf(row[k], of));
    }
  }
}

}  // namespace alexnet::cpu
