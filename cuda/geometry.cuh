// A convolution as its kernels see it, and numbers of three digits: a place in a window (row, column, channel), or a
// pixel of a batch (image, row, column).
#pragma once

#include <cstdint>
#include <string>

#include "../core/operations.h"

namespace alexnet::cuda {

struct Geometry {
  int64_t images;
  int height, width, channels;              // of the input [N, H, W, C]
  int outputHeight, outputWidth, kernels;   // of the output [N, P, Q, K]
  int windowHeight, windowWidth;            // of the weights [K, R, S, C / groups]
  int stride, padTop, padLeft;
  int groups, groupChannels, groupKernels;  // C / groups, K / groups

  int64_t outputPixels() const { return images * outputHeight * outputWidth; }
  int64_t inputPixels() const { return images * height * width; }
};

inline int narrow(int64_t value, const char* operation) {
  if (value <= INT32_MAX) return static_cast<int>(value);
  throw Error(kArgument, std::string(operation) + ": " + std::to_string(value) +
                             " is more than a tensor's dimension or a window's elements may be on CUDA, 2^31 - 1.");
}

// Of the three tensors that each direction has, whatever they are called there.
inline Geometry geometryOf(const char* operation, const Tensor& input, const Tensor& weights, const Tensor& output,
                           const ConvShape& shape) {
  const auto size = [&](const Tensor& tensor, size_t index) { return narrow(tensor.dimension(index), operation); };
  // The largest number that a window's elements, and their distance in the input, are counted by.
  narrow(weights.dimension(1) * std::max(weights.dimension(2), input.dimension(2)) *
             std::max(input.dimension(3), output.dimension(3)),
         operation);
  Geometry geometry;
  geometry.images = size(input, 0);
  geometry.height = size(input, 1), geometry.width = size(input, 2), geometry.channels = size(input, 3);
  geometry.outputHeight = size(output, 1), geometry.outputWidth = size(output, 2), geometry.kernels = size(output, 3);
  geometry.windowHeight = size(weights, 1), geometry.windowWidth = size(weights, 2);
  geometry.stride = narrow(shape.stride, operation);
  geometry.padTop = narrow(shape.padTop, operation), geometry.padLeft = narrow(shape.padLeft, operation);
  geometry.groups = narrow(shape.groups, operation);
  geometry.groupChannels = geometry.channels / geometry.groups;
  geometry.groupKernels = geometry.kernels / geometry.groups;
  return geometry;
}

struct Radix {
  int middle, low;  // how many values these digits have
};

struct Digits {
  int high, middle, low;
};

__device__ inline Digits digitsOf(int64_t number, Radix radix) {
  const int64_t upper = number / radix.low;
  return {static_cast<int>(upper / radix.middle), static_cast<int>(upper % radix.middle),
          static_cast<int>(number % radix.low)};
}

// `increment` is itself in this radix. No carry is looked up in a table or divided for: each is at most 1.
__device__ inline void add(Digits& digits, const Digits& increment, Radix radix) {
  digits.low += increment.low;
  digits.middle += increment.middle;
  digits.high += increment.high;
  if (digits.low >= radix.low) digits.low -= radix.low, ++digits.middle;
  if (digits.middle >= radix.middle) digits.middle -= radix.middle, ++digits.high;
}

}  // namespace alexnet::cuda
