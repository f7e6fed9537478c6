// A convolution as its kernels see it, and how they count along K without dividing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "../../core/operations.h"
#include "split_k.h"

namespace alexnet::cuda {

struct Digits {
  int high, middle, low;
};

// Numbers of three digits: places in a window (row, column, channel), or pixels of a batch (image, row, column).
struct Radix {
  int middle, low;  // the bases of these digits; the high digit has none
  Digits step;      // a K step in this radix
};

// Kernels on tensor cores give unsigned numbers: divisions of 64 bits take some hundred instructions.
template <class Number>
__host__ __device__ inline Digits digitsOf(Number number, const Radix& radix) {
  const Number upper = number / radix.low;
  return {static_cast<int>(upper / radix.middle), static_cast<int>(upper % radix.middle),
          static_cast<int>(number % radix.low)};
}

// What counts in steps of `step`.
inline Radix radixOf(int middle, int low, int step) {
  Radix radix{middle, low, {}};
  radix.step = digitsOf(step, radix);
  return radix;
}

// Each digit of the increment is below its base, so each carry is 0 or 1.
__device__ inline void add(Digits& digits, const Digits& increment, const Radix& radix) {
  digits.low += increment.low;
  digits.middle += increment.middle;
  digits.high += increment.high;
  if (digits.low >= radix.low) digits.low -= radix.low, ++digits.middle;
  if (digits.middle >= radix.middle) digits.middle -= radix.middle, ++digits.high;
}
__device__ inline void next(Digits& digits, const Radix& radix) { add(digits, {0, 0, 1}, radix); }
__device__ inline void advance(Digits& digits, int, const Radix& radix) { add(digits, radix.step, radix); }

// Plain numbers: neighbours in number are neighbours in memory.
template <class Number>
struct Plain {};

template <class Number>
__device__ inline Number digitsOf(int64_t number, Plain<Number>) {
  return static_cast<Number>(number);
}
template <class Number>
__device__ inline void next(Number& number, Plain<Number>) {
  ++number;
}
template <class Number>
__device__ inline void advance(Number& number, int step, Plain<Number>) {
  number += step;
}

struct ConvGeometry {
  int images;
  int height, width, channels;             // of the input [N, H, W, C]
  int outputHeight, outputWidth, kernels;  // of the output [N, P, Q, K]
  int windowHeight, windowWidth;           // of the weights [K, R, S, C / groups]
  int stride, padTop, padLeft;
  int groups, groupChannels, groupKernels;  // C / groups, K / groups
  int rowElements, outputRowElements;       // W C, Q K
  int kernelElements;                       // R S C / groups
  Radix inputTaps, outputTaps;              // (r, s, c) and (r, s, k) of a group
  Radix inputPixels, outputPixels;          // (n, h, w) and (n, p, q)
};

// Of the three tensors that each direction has, whatever they are called there.
ConvGeometry geometryOf(const char* operation, const Tensor& input, const Tensor& weights, const Tensor& output,
                        const ConvShape& shape);

}  // namespace alexnet::cuda
