// Local response normalization across channels, forward and backward. paper 3.3
//   b[i] = a[i] d[i]^-beta,   d[i] = k + alpha * sum a[j]^2,   j in [i - size/2, i + size/2], clipped to i's
//   column a, b, gradients   [N, H, W, C]  fp32 or bf16, seen as [N H W columns, C / columns]: a row is a
//   column of a pixel
// Plain loops instead of oneDNN's primitive: that needs a workspace of twice the input (in bf16 a rounded
// one), and falls to a very slow path where size is not 5 or the channels of a column are not a multiple
// of 16.
#include <omp.h>

#include <cmath>

#include "bytes.h"
#include "device.h"

namespace alexnet::cpu {
namespace {

// Scratch of one thread: a row's values in fp32. `windowed` has size / 2 zeros before and after it for the
// windows that reach over the row's ends.
struct Row {
  Row(int64_t rowLength, const LrnShape& shape)
      : length(rowLength),
        margin(shape.size / 2),
        value(static_cast<size_t>(length)),
        gradient(value),
        denominator(value),
        factor(value),
        windowed(static_cast<size_t>(length + 2 * margin)) {}

  int64_t length, margin;
  std::vector<float> value, gradient, denominator, factor, windowed;
};

template <class Real>
ALEXNET_INLINE void widenAndSquare(const Real* __restrict input, float* __restrict value,
                                   float* __restrict square, int64_t length) {
  for (int64_t i = 0; i < length; ++i) {
    value[i] = widen(input[i]);
    square[i] = value[i] * value[i];
  }
}

// sum[i] = windowed[i] + ... + windowed[i + size - 1]
ALEXNET_INLINE void windowSums(const float* __restrict windowed, float* __restrict sum, int64_t length,
                               int64_t size) {
  if (size == 5) {  // the paper's: one pass
    for (int64_t i = 0; i < length; ++i) {
      sum[i] = windowed[i] + windowed[i + 1] + windowed[i + 2] + windowed[i + 3] + windowed[i + 4];
    }
    return;
  }
  for (int64_t i = 0; i < length; ++i) sum[i] = windowed[i];
  for (int64_t j = 1; j < size; ++j) {
    for (int64_t i = 0; i < length; ++i) sum[i] += windowed[i + j];
  }
}

// From sums of squares to d, and to d^-beta.
ALEXNET_INLINE void normalizers(float* __restrict denominator, float* __restrict factor, int64_t length,
                                const LrnShape& shape) {
  for (int64_t i = 0; i < length; ++i) denominator[i] = shape.k + shape.alpha * denominator[i];
  if (shape.beta == 0.75F) {  // the paper's: without a call
    for (int64_t i = 0; i < length; ++i) {
      const float root = std::sqrt(denominator[i]);
      factor[i] = 1.0F / (root * std::sqrt(root));
    }
  } else {
    for (int64_t i = 0; i < length; ++i) factor[i] = std::pow(denominator[i], -shape.beta);
  }
}

template <class Real>
ALEXNET_INLINE void load(const Real* input, const LrnShape& shape, Row& row) {
  widenAndSquare(input, row.value.data(), row.windowed.data() + row.margin, row.length);
  windowSums(row.windowed.data(), row.denominator.data(), row.length, shape.size);
  normalizers(row.denominator.data(), row.factor.data(), row.length, shape);
}

template <class Real>
ALEXNET_INLINE void multiply(const float* __restrict value, const float* __restrict factor,
                             Real* __restrict output, int64_t length) {
  for (int64_t i = 0; i < length; ++i) output[i] = narrow<Real>(value[i] * factor[i]);
}

template <class Real>
ALEXNET_INLINE void forwardRows(const Real* input, Real* output, int64_t rows, const LrnShape& shape,
                                Row& row) {
  for (int64_t r = 0; r < rows; ++r, input += row.length, output += row.length) {
    load(input, shape, row);
    multiply(row.value.data(), row.factor.data(), output, row.length);
  }
}

// direct[i] = db[i] d[i]^-beta, which goes to da[i]; indirect[i] = direct[i] a[i] / d[i], to all that have i
// in sight.
template <class Real>
ALEXNET_INLINE void gradientTerms(const Real* __restrict outputGradient, const float* __restrict value,
                                  const float* __restrict denominator, const float* __restrict factor,
                                  float* __restrict direct, float* __restrict indirect, int64_t length) {
  for (int64_t i = 0; i < length; ++i) {
    direct[i] = widen(outputGradient[i]) * factor[i];
    indirect[i] = direct[i] * value[i] / denominator[i];
  }
}

template <class Real>
ALEXNET_INLINE void combine(const float* __restrict direct, const float* __restrict value,
                            const float* __restrict indirectSum, float scale, Real* __restrict inputGradient,
                            int64_t length) {
  for (int64_t i = 0; i < length; ++i) {
    inputGradient[i] = narrow<Real>(direct[i] - scale * value[i] * indirectSum[i]);
  }
}

// da[i] = db[i] d[i]^-beta - 2 alpha beta a[i] sum_j db[j] a[j] d[j]^-(beta + 1)
template <class Real>
ALEXNET_INLINE void backwardRows(const Real* input, const Real* outputGradient, Real* inputGradient,
                                 int64_t rows, const LrnShape& shape, Row& row) {
  for (int64_t r = 0; r < rows; ++r) {
    load(input + r * row.length, shape, row);
    gradientTerms(outputGradient + r * row.length, row.value.data(), row.denominator.data(),
                  row.factor.data(), row.gradient.data(), row.windowed.data() + row.margin, row.length);
    windowSums(row.windowed.data(), row.denominator.data(), row.length, shape.size);
    combine(row.gradient.data(), row.value.data(), row.denominator.data(), 2.0F * shape.alpha * shape.beta,
            inputGradient + r * row.length, row.length);
  }
}

ALEXNET_VECTORIZED void forward(const float* input, float* output, int64_t rows, const LrnShape& shape,
                                Row& row) {
  forwardRows(input, output, rows, shape, row);
}
ALEXNET_VECTORIZED void forward(const Bfloat16* input, Bfloat16* output, int64_t rows, const LrnShape& shape,
                                Row& row) {
  forwardRows(input, output, rows, shape, row);
}
ALEXNET_VECTORIZED void backward(const float* input, const float* outputGradient, float* inputGradient,
                                 int64_t rows, const LrnShape& shape, Row& row) {
  backwardRows(input, outputGradient, inputGradient, rows, shape, row);
}
ALEXNET_VECTORIZED void backward(const Bfloat16* input, const Bfloat16* outputGradient,
                                 Bfloat16* inputGradient, int64_t rows, const LrnShape& shape, Row& row) {
  backwardRows(input, outputGradient, inputGradient, rows, shape, row);
}

// Calls work(first row, number of rows, scratch) on every thread.
template <class Work>
void overRows(const Tensor& input, const LrnShape& shape, const Work& work) {
  const int64_t length = input.dimension(3) / shape.columns;
  const int64_t rows = input.elements() / length;
#pragma omp parallel
  {
    Row row(length, shape);
    const int64_t threads = omp_get_num_threads();
    const int64_t begin = rows * omp_get_thread_num() / threads;
    const int64_t end = rows * (omp_get_thread_num() + 1) / threads;
    work(begin * length, end - begin, row);
  }
}

template <class Real>
void lrn(const Lrn& operation) {
  const Real* const input = operation.input.data<Real>();
  Real* const output = operation.output.mutableData<Real>();
  overRows(operation.input, operation.shape, [&](int64_t offset, int64_t rows, Row& row) {
    forward(input + offset, output + offset, rows, operation.shape, row);
  });
}

template <class Real>
void lrnBackward(const LrnBackward& operation) {
  const Real* const input = operation.input.data<Real>();
  const Real* const outputGradient = operation.outputGradient.data<Real>();
  Real* const inputGradient = operation.inputGradient.mutableData<Real>();
  overRows(operation.input, operation.shape, [&](int64_t offset, int64_t rows, Row& row) {
    backward(input + offset, outputGradient + offset, inputGradient + offset, rows, operation.shape, row);
  });
}

}  // namespace

size_t CpuDevice::workspaceBytes(const Lrn&) {
  return 0;
}

void CpuDevice::run(const Lrn& operation) {
  operation.input.type == DataType::float32 ? lrn<float>(operation) : lrn<Bfloat16>(operation);
}

void CpuDevice::run(const LrnBackward& operation) {
  operation.input.type == DataType::float32 ? lrnBackward<float>(operation)
                                            : lrnBackward<Bfloat16>(operation);
}

}  // namespace alexnet::cpu
