// Overlapped max pooling, forward and backward. paper 3.4
//   input [N, H, W, C], output [N, P, Q, C]   fp32 or bf16
//   workspace [N, P, Q, C] uint16: which input of its window (row by row) each output is
// Plain loops instead of oneDNN's primitive: its backward pass adds up overlapping windows in bf16.
#include <algorithm>
#include <limits>

#include "bytes.h"
#include "device.h"

namespace alexnet::cpu {
namespace {

using Index = uint16_t;
constexpr int64_t kLargestWindow = 255;  // a side; its last input's index still fits
constexpr int64_t kChannels = 64;        // worked on at a time: their sums stay in the first cache

struct Geometry {
  Geometry(const Tensor& input, const Tensor& output, const PoolShape& shape)
      : height(input.dimension(1)),
        width(input.dimension(2)),
        channels(input.dimension(3)),
        outputHeight(output.dimension(1)),
        outputWidth(output.dimension(2)),
        size(shape.size),
        stride(shape.stride) {}

  // The windows that hold input row (or column) `at`, of `count` along that side: from .first up to .second.
  std::pair<int64_t, int64_t> windowsOver(int64_t at, int64_t count) const {
    return {at < size ? 0 : (at - size) / stride + 1, std::min(count, at / stride + 1)};
  }

  int64_t height, width, channels, outputHeight, outputWidth, size, stride;
};

// The largest of a window, channel by channel. A NaN wins, as it must not disappear.
template <bool kKeepsIndex, class Real>
ALEXNET_INLINE void maximum(const Real* __restrict window, Real* __restrict output, Index* __restrict index,
                            int64_t channels, const Geometry& geometry) {
  float best[kChannels];
  Index where[kChannels];
  for (int64_t c = 0; c < channels; ++c) {
    best[c] = widen(window[c]);
    where[c] = 0;
  }
  for (int64_t r = 0; r < geometry.size; ++r) {
    for (int64_t s = 0; s < geometry.size; ++s) {
      const Real* __restrict input = window + (r * geometry.width + s) * geometry.channels;
      const auto here = static_cast<Index>(r * geometry.size + s);
      for (int64_t c = 0; c < channels; ++c) {
        const float value = widen(input[c]);
        const bool better = value > best[c] || value != value;
        best[c] = better ? value : best[c];
        if (kKeepsIndex) where[c] = better ? here : where[c];
      }
    }
  }
  for (int64_t c = 0; c < channels; ++c) output[c] = narrow<Real>(best[c]);
  for (int64_t c = 0; kKeepsIndex && c < channels; ++c) index[c] = where[c];
}

// One row of outputs [Q, C] from the input rows [size, W, C] below it.
template <bool kKeepsIndex, class Real>
ALEXNET_INLINE void outputRow(const Real* input, Real* output, Index* index, const Geometry& geometry) {
  for (int64_t q = 0; q < geometry.outputWidth; ++q) {
    for (int64_t c = 0; c < geometry.channels; c += kChannels) {
      const int64_t at = q * geometry.channels + c;
      maximum<kKeepsIndex>(input + q * geometry.stride * geometry.channels + c, output + at,
                           kKeepsIndex ? index + at : nullptr, std::min(kChannels, geometry.channels - c),
                           geometry);
    }
  }
}

ALEXNET_VECTORIZED void forward(const float* input, float* output, Index* index, const Geometry& geometry) {
  index ? outputRow<true>(input, output, index, geometry) : outputRow<false>(input, output, index, geometry);
}
ALEXNET_VECTORIZED void forward(const Bfloat16* input, Bfloat16* output, Index* index,
                                const Geometry& geometry) {
  index ? outputRow<true>(input, output, index, geometry) : outputRow<false>(input, output, index, geometry);
}

// One row h of input gradients [W, C]. Gathers: each input adds up the windows that it won, in their order,
// in fp32.
template <class Real>
ALEXNET_INLINE void inputRow(const Real* outputGradient, const Index* index, Real* inputGradient, int64_t h,
                             const Geometry& geometry) {
  const auto [topmost, bottommost] = geometry.windowsOver(h, geometry.outputHeight);
  for (int64_t w = 0; w < geometry.width; ++w) {
    const auto [leftmost, rightmost] = geometry.windowsOver(w, geometry.outputWidth);
    for (int64_t from = 0; from < geometry.channels; from += kChannels) {
      const int64_t channels = std::min(kChannels, geometry.channels - from);
      float sum[kChannels] = {};
      for (int64_t p = topmost; p < bottommost; ++p) {
        for (int64_t q = leftmost; q < rightmost; ++q) {
          const auto here =
              static_cast<Index>((h - p * geometry.stride) * geometry.size + w - q * geometry.stride);
          const int64_t at = (p * geometry.outputWidth + q) * geometry.channels + from;
          const Real* __restrict gradient = outputGradient + at;
          const Index* __restrict winner = index + at;
          for (int64_t c = 0; c < channels; ++c) sum[c] += winner[c] == here ? widen(gradient[c]) : 0.0F;
        }
      }
      Real* __restrict result = inputGradient + w * geometry.channels + from;
      for (int64_t c = 0; c < channels; ++c) result[c] = narrow<Real>(sum[c]);
    }
  }
}

ALEXNET_VECTORIZED void backward(const float* outputGradient, const Index* index, float* inputGradient,
                                 int64_t h, const Geometry& geometry) {
  inputRow(outputGradient, index, inputGradient, h, geometry);
}
ALEXNET_VECTORIZED void backward(const Bfloat16* outputGradient, const Index* index, Bfloat16* inputGradient,
                                 int64_t h, const Geometry& geometry) {
  inputRow(outputGradient, index, inputGradient, h, geometry);
}

template <class Real>
void maxPool(const MaxPool& operation) {
  const Geometry geometry(operation.input, operation.output, operation.shape);
  const Real* const input = operation.input.data<Real>();
  Real* const output = operation.output.mutableData<Real>();
  Index* const index = operation.workspace ? operation.workspace.mutableData<Index>() : nullptr;
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
  const Geometry geometry(operation.inputGradient, operation.outputGradient, operation.shape);
  const Real* const outputGradient = operation.outputGradient.data<Real>();
  const Index* const index = operation.workspace.data<Index>();
  Real* const inputGradient = operation.inputGradient.mutableData<Real>();
  const int64_t rows = operation.inputGradient.dimension(0) * geometry.height;
  const int64_t imageOutputs = geometry.outputHeight * geometry.outputWidth * geometry.channels;
#pragma omp parallel for schedule(static)
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t n = row / geometry.height;
    backward(outputGradient + n * imageOutputs, index + n * imageOutputs,
             inputGradient + row * geometry.width * geometry.channels, row % geometry.height, geometry);
  }
}

size_t indexBytes(const Tensor& output, const PoolShape& shape) {
  if (shape.size > kLargestWindow) {
    throw Error(kArgument, "size must be at most " + std::to_string(kLargestWindow) + ", got " +
                               std::to_string(shape.size) + ".");
  }
  return static_cast<size_t>(output.elements()) * sizeof(Index);
}

void requireWorkspace(const Tensor& workspace, const Tensor& output, const PoolShape& shape) {
  const size_t bytes = indexBytes(output, shape);
  if (workspace.bytes() >= bytes && workspace.offset % sizeof(Index) == 0) return;
  throw Error(kShape, "workspace must have " + std::to_string(bytes) +
                          " bytes (maxPoolWorkspaceBytes) and begin at an even one, got " +
                          std::to_string(workspace.bytes()) + ".");
}

}  // namespace

size_t CpuDevice::workspaceBytes(const MaxPool& operation) {
  return indexBytes(operation.output, operation.shape);
}

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
