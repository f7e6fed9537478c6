// Local response normalization across channels, forward and backward. paper 3.3
//   b[i] = a[i] d[i]^-beta,   d[i] = k + alpha * sum a[j]^2,   j in [i - size/2, i + size/2], clipped to i's
//   column a, b, gradients   [N, H, W, C]  fp32 or bf16, seen as [N H W columns, C / columns]: a row is a
//   column of a pixel
// Plain loops instead of oneDNN's primitive: that needs a workspace of twice the input (in bf16 a rounded
// one), and falls to a very slow path where size is not 5 or the channels of a column are not a multiple
// of 16.
#include "lrn.h"

#include <algorithm>
#include <cmath>

#include "device.h"

namespace alexnet::cpu {
namespace {

template <class Real>
ALEXNET_INLINE void widenAndSquare(const Real* __restrict input, float* __restrict value, float* __restrict square,
                                   int64_t length) {
  for (int64_t i = 0; i < length; ++i) {
    value[i] = widen(input[i]);
    square[i] = value[i] * value[i];
  }
}

// sum[i] = windowed[i - size / 2] + ... + windowed[i + size / 2]
ALEXNET_INLINE void windowSums(const float* __restrict windowed, float* __restrict sum, int64_t length, int64_t size) {
  if (size == 5) {  // the paper's: one pass
    for (int64_t i = 0; i < length; ++i) {
      sum[i] = windowed[i - 2] + windowed[i - 1] + windowed[i] + windowed[i + 1] + windowed[i + 2];
    }
    return;
  }
  for (int64_t i = 0; i < length; ++i) sum[i] = windowed[i - size / 2];
  for (int64_t j = 1; j < size; ++j) {
    for (int64_t i = 0; i < length; ++i) sum[i] += windowed[i - size / 2 + j];
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
ALEXNET_INLINE void load(const Real* input, int64_t count, const LrnShape& shape, LrnRows& rows) {
  for (int64_t r = 0; r < count; ++r) {
    widenAndSquare(input + r * rows.length, rows.value() + r * rows.pitch, rows.windowed() + r * rows.pitch,
                   rows.length);
  }
  windowSums(rows.windowed(), rows.denominator(), count * rows.pitch, shape.size);
  normalizers(rows.denominator(), rows.factor(), count * rows.pitch, shape);
}

template <class Real>
ALEXNET_INLINE void multiply(const float* __restrict value, const float* __restrict factor, Real* __restrict output,
                             int64_t length) {
  for (int64_t i = 0; i < length; ++i) output[i] = narrow<Real>(value[i] * factor[i]);
}

template <class Real>
ALEXNET_INLINE void forwardRows(const Real* input, Real* output, int64_t count, const LrnShape& shape, LrnRows& rows) {
  load(input, count, shape, rows);
  for (int64_t r = 0; r < count; ++r) {
    multiply(rows.value() + r * rows.pitch, rows.factor() + r * rows.pitch, output + r * rows.length, rows.length);
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
ALEXNET_INLINE void backwardRows(const Real* input, const Real* outputGradient, Real* inputGradient, int64_t count,
                                 const LrnShape& shape, LrnRows& rows) {
  load(input, count, shape, rows);
  for (int64_t r = 0; r < count; ++r) {
    const int64_t at = r * rows.pitch;
    gradientTerms(outputGradient + r * rows.length, rows.value() + at, rows.denominator() + at, rows.factor() + at,
                  rows.gradient() + at, rows.windowed() + at, rows.length);
  }
  float* const indirectSum = rows.denominator();  // reuses their memory
  windowSums(rows.windowed(), indirectSum, count * rows.pitch, shape.size);
  for (int64_t r = 0; r < count; ++r) {
    const int64_t at = r * rows.pitch;
    combine(rows.gradient() + at, rows.value() + at, indirectSum + at, 2.0F * shape.alpha * shape.beta,
            inputGradient + r * rows.length, rows.length);
  }
}

ALEXNET_VECTORIZED void forward(const float* input, float* output, int64_t count, const LrnShape& shape,
                                LrnRows& rows) {
  forwardRows(input, output, count, shape, rows);
}
ALEXNET_VECTORIZED void forward(const Bfloat16* input, Bfloat16* output, int64_t count, const LrnShape& shape,
                                LrnRows& rows) {
  forwardRows(input, output, count, shape, rows);
}
ALEXNET_VECTORIZED void backward(const float* input, const float* outputGradient, float* inputGradient, int64_t count,
                                 const LrnShape& shape, LrnRows& rows) {
  backwardRows(input, outputGradient, inputGradient, count, shape, rows);
}
ALEXNET_VECTORIZED void backward(const Bfloat16* input, const Bfloat16* outputGradient, Bfloat16* inputGradient,
                                 int64_t count, const LrnShape& shape, LrnRows& rows) {
  backwardRows(input, outputGradient, inputGradient, count, shape, rows);
}

// Calls body(offset of the first row, number of rows, scratch) for at most kLrnRows rows at a time.
template <class Body>
void overRows(const Tensor& input, const LrnShape& shape, const Body& body) {
  const int64_t length = input.dimension(3) / shape.columns;
  const int64_t count = input.elements() / length;
#pragma omp parallel
  {
    LrnRows rows(length, shape);
#pragma omp for schedule(static)
    for (int64_t first = 0; first < count; first += kLrnRows) {
      body(first * length, std::min(kLrnRows, count - first), rows);
    }
  }
}

template <class Real>
void lrn(const Lrn& operation) {
  const Real* const input = operation.input.data<Real>();
  Real* const output = operation.output.mutableData<Real>();
  overRows(operation.input, operation.shape, [&](int64_t offset, int64_t count, LrnRows& rows) {
    forward(input + offset, output + offset, count, operation.shape, rows);
  });
}

template <class Real>
void lrnBackward(const LrnBackward& operation) {
  const Real* const input = operation.input.data<Real>();
  const Real* const outputGradient = operation.outputGradient.data<Real>();
  Real* const inputGradient = operation.inputGradient.mutableData<Real>();
  overRows(operation.input, operation.shape, [&](int64_t offset, int64_t count, LrnRows& rows) {
    backward(input + offset, outputGradient + offset, inputGradient + offset, count, operation.shape, rows);
  });
}

}  // namespace

template <class Real>
void lrnRows(const Real* input, Real* output, int64_t count, const LrnShape& shape, LrnRows& scratch) {
  for (int64_t first = 0; first < count; first += kLrnRows) {
    const int64_t offset = first * scratch.length;
    forward(input + offset, output + offset, std::min(kLrnRows, count - first), shape, scratch);
  }
}

template <class Real>
void lrnBackwardRows(const Real* input, const Real* outputGradient, Real* inputGradient, int64_t count,
                     const LrnShape& shape, LrnRows& scratch) {
  for (int64_t first = 0; first < count; first += kLrnRows) {
    const int64_t offset = first * scratch.length;
    backward(input + offset, outputGradient + offset, inputGradient + offset, std::min(kLrnRows, count - first), shape,
             scratch);
  }
}

template void lrnRows(const float*, float*, int64_t, const LrnShape&, LrnRows&);
template void lrnRows(const Bfloat16*, Bfloat16*, int64_t, const LrnShape&, LrnRows&);
template void lrnBackwardRows(const float*, const float*, float*, int64_t, const LrnShape&, LrnRows&);
template void lrnBackwardRows(const Bfloat16*, const Bfloat16*, Bfloat16*, int64_t, const LrnShape&, LrnRows&);

size_t CpuDevice::workspaceBytes(const Lrn&) { return 0; }

void CpuDevice::run(const Lrn& operation) {
  operation.input.type == DataType::float32 ? lrn<float>(operation) : lrn<Bfloat16>(operation);
}

void CpuDevice::run(const LrnBackward& operation) {
  operation.input.type == DataType::float32 ? lrnBackward<float>(operation) : lrnBackward<Bfloat16>(operation);
}

}  // namespace alexnet::cpu
