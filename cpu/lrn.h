// Local response normalization of rows: a row is a column of a pixel.
#pragma once

#include <vector>

#include "../core/operations.h"
#include "bytes.h"

namespace alexnet::cpu {

constexpr int64_t kLrnRows = 16;  // worked on at a time, so that loops are long and all arrays stay in the first cache

// Scratch of one thread: kLrnRows rows in fp32. Each row is followed by size / 2 zeros, and so is the start, for
// the windows that reach over a row's ends: rows lie `pitch` apart, and the loops over windows need not know
// of rows.
class LrnRows {
 public:
  LrnRows(int64_t rowLength, const LrnShape& shape)
      : length(rowLength),
        margin(shape.size / 2),
        pitch(rowLength + margin),
        storage_(static_cast<size_t>(5 * (kLrnRows * pitch + 2 * margin))) {}

  float* value() { return array(0); }
  float* gradient() { return array(1); }
  float* denominator() { return array(2); }
  float* factor() { return array(3); }
  float* windowed() { return array(4); }

  const int64_t length, margin, pitch;

 private:
  // Element i of row r is element r * pitch + i.
  float* array(int64_t index) { return storage_.data() + index * (kLrnRows * pitch + 2 * margin) + margin; }

  std::vector<float> storage_;
};

// Any number of rows, one after the other.
template <class Real>
void lrnRows(const Real* input, Real* output, int64_t count, const LrnShape& shape, LrnRows& scratch);
template <class Real>
void lrnBackwardRows(const Real* input, const Real* outputGradient, Real* inputGradient, int64_t count,
                     const LrnShape& shape, LrnRows& scratch);

}  // namespace alexnet::cpu
