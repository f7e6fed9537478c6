// Overlapped max pooling, forward and backward. paper 3.4
//   input [N, H, W, C], output [N, P, Q, C]   fp32 or bf16
//   workspace [N, P, Q, C] uint16: which input of its window (row by row) each output is
// Plain loops instead of oneDNN's primitive: its backward pass adds up overlapping windows in bf16.
#include "max_pool.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "device.h"
#include "relu.h"

namespace alexnet::cpu {
namespace {

constexpr int64_t kLargestWindow = 255;  // a side: the index of its last input still fits

// The windows that hold input row (or column) `at`, of `count` along that side: from .first up to .second.
std::pair<int64_t, int64_t> windowsOver(int64_t at, int64_t count, const PoolGeometry& geometry) {
  const auto [size, stride] = std::pair(geometry.size, geometry.stride);
  return {at < size ? 0 : (at - size) / stride + 1, std::min(count, at / stride + 1)};
}

// One row of outputs [Q, C] from the input rows [size, W, C] below it. kSize: the window's side where it is
// one that the compiler shall unroll, so that channels fill its vectors; else 0. NaN must stay NaN: it wins.
template <int64_t kSize, bool kKeepsIndex, class Real>
ALEXNET_INLINE void outputRow(const Real* input, Real* output, PoolIndex* index, const PoolGeometry& geometry) {
  const int64_t size = kSize > 0 ? kSize : geometry.size;
  for (int64_t q = 0; q < geometry.outputWidth; ++q) {
    const Real* const window = input + q * geometry.stride * geometry.channels;
    Real* const best = output + q * geometry.channels;
    PoolIndex* const winner = kKeepsIndex ? index + q * geometry.channels : nullptr;
#pragma GCC ivdep
    for (int64_t c = 0; c < geometry.channels; ++c) {
      float largest = widen(window[c]);
      int32_t where = 0;  // as wide as the values: one mask serves both
#pragma GCC unroll 8
      for (int64_t i = 1; i < size * size; ++i) {
        const float value = widen(window[(i / size * geometry.width + i % size) * geometry.channels + c]);
        const bool better = value > largest || value != value;
        largest = better ? value : largest;
        where = better ? static_cast<int32_t>(i) : where;
      }
      best[c] = narrow<Real>(largest);
      if (kKeepsIndex) winner[c] = static_cast<PoolIndex>(where);
    }
  }
}

template <bool kKeepsIndex, class Real>
ALEXNET_INLINE void outputRow(const Real* input, Real* output, PoolIndex* index, const PoolGeometry& geometry) {
  switch (geometry.size) {
    case 2: return outputRow<2, kKeepsIndex>(input, output, index, geometry);
    case 3: return outputRow<3, kKeepsIndex>(input, output, index, geometry);
    default: return outputRow<0, kKeepsIndex>(input, output, index, geometry);
  }
}

ALEXNET_VECTORIZED void forward(const float* input, float* output, PoolIndex* index, const PoolGeometry& geometry) {
  index ? outputRow<true>(input, output, index, geometry) : outputRow<false>(input, output, index, geometry);
}
ALEXNET_VECTORIZED void forward(const Bfloat16* input, Bfloat16* output, PoolIndex* index,
                                const PoolGeometry& geometry) {
  index ? outputRow<true>(input, output, index, geometry) : outputRow<false>(input, output, index, geometry);
}

// The windows that hold one input pixel: a rectangle of outputs.
template <class Real>
struct Holders {
  int64_t rows, columns;
  int64_t place;         // the pixel's in the first of them; one row of windows on it is less by stride * size
  const Real* gradient;  // of the first
  const PoolIndex* winner;
  const Real* output;
};

template <class Real>
ALEXNET_INLINE uint32_t bitsIf(bool condition, Real value) {
  const float wide = widen(value);
  uint32_t bits;
  std::memcpy(&bits, &wide, sizeof bits);
  return bits & -uint32_t{condition};
}

ALEXNET_INLINE float ofBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// One input pixel's gradient [C]: the sum, in fp32 and in the order of the windows, of those that the pixel
// has won. kMasked: times a ReLU's derivative, which the outputs of these windows tell: they are the pixel.
template <bool kMasked, int64_t kRows, int64_t kColumns, class Real>
ALEXNET_INLINE void gather(const Holders<Real>& holders, Real* inputGradient, const PoolGeometry& geometry) {
  const int64_t columns = kColumns > 0 ? kColumns : holders.columns;
  const int64_t windows = (kRows > 0 ? kRows : holders.rows) * columns;
#pragma GCC ivdep
  for (int64_t c = 0; c < geometry.channels; ++c) {
    float sum = 0;
    uint32_t maximum = 0;
#pragma GCC unroll 4
    for (int64_t i = 0; i < windows; ++i) {
      const int64_t at = (i / columns * geometry.outputWidth + i % columns) * geometry.channels + c;
      const int64_t place = holders.place - (i / columns * geometry.size + i % columns) * geometry.stride;
      const bool won = int32_t{holders.winner[at]} == static_cast<int32_t>(place);
      // Bits instead of a choice between numbers, which older instruction sets would make with a branch.
      sum += ofBits(bitsIf(won, holders.gradient[at]));
      if (kMasked) maximum |= bitsIf(won, holders.output[at]);  // of all that it has won the same
    }
    inputGradient[c] = narrow<Real>(kMasked ? sum * reluSlope(ofBits(maximum)) : sum);
  }
}

// One row h of input gradients [W, C]. Overlapping by one, as the paper's do, windows meet in twos and fours.
template <bool kMasked, class Real>
ALEXNET_INLINE void inputRow(const Real* outputGradient, const PoolIndex* index, const Real* output,
                             Real* inputGradient, int64_t h, const PoolGeometry& geometry) {
  const auto [top, bottom] = windowsOver(h, geometry.outputHeight, geometry);
  for (int64_t w = 0; w < geometry.width; ++w) {
    const auto [left, right] = windowsOver(w, geometry.outputWidth, geometry);
    const int64_t at = (top * geometry.outputWidth + left) * geometry.channels;
    const Holders<Real> holders{std::max<int64_t>(0, bottom - top),
                                std::max<int64_t>(0, right - left),
                                (h - top * geometry.stride) * geometry.size + w - left * geometry.stride,
                                outputGradient + at,
                                index + at,
                                kMasked ? output + at : nullptr};
    Real* const pixel = inputGradient + w * geometry.channels;
    if (holders.rows == 1 && holders.columns == 1) {
      gather<kMasked, 1, 1>(holders, pixel, geometry);
    } else if (holders.rows == 1 && holders.columns == 2) {
      gather<kMasked, 1, 2>(holders, pixel, geometry);
    } else if (holders.rows == 2 && holders.columns == 1) {
      gather<kMasked, 2, 1>(holders, pixel, geometry);
    } else if (holders.rows == 2 && holders.columns == 2) {
      gather<kMasked, 2, 2>(holders, pixel, geometry);
    } else {
      gather<kMasked, 0, 0>(holders, pixel, geometry);
    }
  }
}

template <class Real>
ALEXNET_INLINE void anyInputRow(const Real* outputGradient, const PoolIndex* index, const Real* output,
                                Real* inputGradient, int64_t h, const PoolGeometry& geometry) {
  output ? inputRow<true>(outputGradient, index, output, inputGradient, h, geometry)
         : inputRow<false>(outputGradient, index, output, inputGradient, h, geometry);
}

ALEXNET_VECTORIZED void backward(const float* outputGradient, const PoolIndex* index, const float* output,
                                 float* inputGradient, int64_t h, const PoolGeometry& geometry) {
  anyInputRow(outputGradient, index, output, inputGradient, h, geometry);
}
ALEXNET_VECTORIZED void backward(const Bfloat16* outputGradient, const PoolIndex* index, const Bfloat16* output,
                                 Bfloat16* inputGradient, int64_t h, const PoolGeometry& geometry) {
  anyInputRow(outputGradient, index, output, inputGradient, h, geometry);
}

template <class Real>
void maxPool(const MaxPool& operation) {
  const PoolGeometry geometry(operation.input, operation.output, operation.shape);
  const Real* const input = operation.input.data<Real>();
  Real* const output = operation.output.mutableData<Real>();
  PoolIndex* const index = operation.workspace ? operation.workspace.mutableData<PoolIndex>() : nullptr;
  const int64_t rows = operation.output.dimension(0) * geometry.outputHeight;
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t n = row / geometry.outputHeight;
    const int64_t top = row % geometry.outputHeight * geometry.stride;
    const int64_t at = row * geometry.outputWidth * geometry.channels;
    forward(input + (n * geometry.height + top) * geometry.width * geometry.channels, output + at,
            index ? index + at : nullptr, geometry);
  }
}

template <class Real>
void maxPoolBackward(const MaxPoolBackward& operation) {
  const PoolGeometry geometry(operation.inputGradient, operation.outputGradient, operation.shape);
  const Real* const outputGradient = operation.outputGradient.data<Real>();
  const PoolIndex* const index = operation.workspace.data<PoolIndex>();
  const Real* const output = operation.output ? operation.output.data<Real>() : nullptr;
  Real* const inputGradient = operation.inputGradient.mutableData<Real>();
  const int64_t rows = operation.inputGradient.dimension(0) * geometry.height;
  const int64_t imageOutputs = geometry.outputHeight * geometry.outputWidth * geometry.channels;
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t n = row / geometry.height;
    backward(outputGradient + n * imageOutputs, index + n * imageOutputs, output ? output + n * imageOutputs : nullptr,
             inputGradient + row * geometry.width * geometry.channels, row % geometry.height, geometry);
  }
}

size_t indexBytes(const Tensor& output, const PoolShape& shape) {
  if (shape.size > kLargestWindow) {
    throw Error(kArgument,
                "size must be at most " + std::to_string(kLargestWindow) + ", got " + std::to_string(shape.size) + ".");
  }
  return static_cast<size_t>(output.elements()) * sizeof(PoolIndex);
}

}  // namespace

template <class Real>
void maxPoolRow(const Real* input, Real* output, PoolIndex* index, const PoolGeometry& geometry) {
  forward(input, output, index, geometry);
}

template <class Real>
void maxPoolBackwardRow(const Real* outputGradient, const PoolIndex* index, Real* inputGradient, int64_t h,
                        const PoolGeometry& geometry) {
  backward(outputGradient, index, static_cast<const Real*>(nullptr), inputGradient, h, geometry);
}

template void maxPoolRow(const float*, float*, PoolIndex*, const PoolGeometry&);
template void maxPoolRow(const Bfloat16*, Bfloat16*, PoolIndex*, const PoolGeometry&);
template void maxPoolBackwardRow(const float*, const PoolIndex*, float*, int64_t, const PoolGeometry&);
template void maxPoolBackwardRow(const Bfloat16*, const PoolIndex*, Bfloat16*, int64_t, const PoolGeometry&);

void requireWorkspace(const Tensor& workspace, const Tensor& output, const PoolShape& shape) {
  const size_t bytes = indexBytes(output, shape);
  if (workspace.bytes() >= bytes && workspace.offset % sizeof(PoolIndex) == 0) return;
  throw Error(kShape, "workspace must have " + std::to_string(bytes) +
                          " bytes (maxPoolWorkspaceBytes) and begin at an even one, got " +
                          std::to_string(workspace.bytes()) + ".");
}

size_t CpuDevice::workspaceBytes(const MaxPool& operation) { return indexBytes(operation.output, operation.shape); }

void CpuDevice::run(const MaxPool& operation) {
  if (operation.workspace) requireWorkspace(operation.workspace, operation.output, operation.shape);
  operation.input.type == DataType::float32 ? maxPool<float>(operation) : maxPool<Bfloat16>(operation);
}

void CpuDevice::run(const MaxPoolBackward& operation) {
  requireWorkspace(operation.workspace, operation.outputGradient, operation.shape);
  operation.inputGradient.type == DataType::float32 ? maxPoolBackward<float>(operation)
                                                    : maxPoolBackward<Bfloat16>(operation);
}

}  // namespace alexnet::cpu
