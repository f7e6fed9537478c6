// The sum of fp32 values that travel as bfloat16, half as many bytes, as a job of the thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "thread.h"

namespace alexnet::mpi {

// To the nearest, halves to even; NaN stays NaN.
inline uint16_t toBfloat16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const bool isNaN = (bits & 0x7fffffff) > 0x7f800000;
  const uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
  return static_cast<uint16_t>((isNaN ? bits | 0x400000 : rounded) >> 16);
}

inline float fromBfloat16(uint16_t half) {
  const uint32_t bits = static_cast<uint32_t>(half) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// values <- sum over the ranks of values * scale, in place. Each rank is sent all ranks' values of a part of its own, adds
// them up in fp32 in the order of the ranks, and sends the sums to all: what a ring sends, but two roundings of a value
// however many ranks there are, and the same bits on all of them with any MPI library.
class Bfloat16Sum final : public Job {
 public:
  Bfloat16Sum(float* values, size_t count, float scale) : Job(2), values_(values), count_(count), scale_(scale) {}

  void start(MPI_Comm communicator) override {
    int rank = 0, size = 0;
    MPI_Comm_rank(communicator, &rank);
    MPI_Comm_size(communicator, &size);
    const auto cut = [&](int place) {
      return static_cast<int>(count_ * static_cast<size_t>(place) / static_cast<size_t>(size));
    };
    own_ = cut(rank + 1) - cut(rank);
    for (int each = 0; each < size; ++each) {
      starts_.push_back(cut(each));
      lengths_.push_back(cut(each + 1) - cut(each));
      places_.push_back(each * own_);
    }
    ownLengths_.assign(lengths_.size(), own_);
    received_.resize(static_cast<size_t>(own_) * lengths_.size());
    narrow();
    MPI_Ialltoallv(values_, lengths_.data(), starts_.data(), MPI_UINT16_T, received_.data(), ownLengths_.data(),
                   places_.data(), MPI_UINT16_T, communicator, &request);
  }

  void goOn(MPI_Comm communicator) override {
    addUp();
    MPI_Iallgatherv(received_.data(), own_, MPI_UINT16_T, values_, lengths_.data(), starts_.data(), MPI_UINT16_T,
                    communicator, &request);
  }

  void end() override { widen(); }

 private:
  static constexpr size_t kBlock = 1024;

  char* bytes() { return reinterpret_cast<char*>(values_); }

  // The halves take the first half of the values' own memory: from the front on, none is written over before it is read.
  void narrow() {
    std::array<float, kBlock> block;
    std::array<uint16_t, kBlock> halves;
    for (size_t start = 0; start < count_; start += kBlock) {
      const size_t length = std::min(kBlock, count_ - start);
      std::memcpy(block.data(), bytes() + start * sizeof(float), length * sizeof(float));
      for (size_t i = 0; i < length; ++i) halves[i] = toBfloat16(block[i] * scale_);
      std::memcpy(bytes() + start * sizeof(uint16_t), halves.data(), length * sizeof(uint16_t));
    }
  }

  // And from the back on.
  void widen() {
    std::array<float, kBlock> block;
    std::array<uint16_t, kBlock> halves;
    for (size_t end = count_; end > 0;) {
      const size_t length = std::min(kBlock, end);
      end -= length;
      std::memcpy(halves.data(), bytes() + end * sizeof(uint16_t), length * sizeof(uint16_t));
      for (size_t i = 0; i < length; ++i) block[i] = fromBfloat16(halves[i]);
      std::memcpy(bytes() + end * sizeof(float), block.data(), length * sizeof(float));
    }
  }

  // Of the own part: the sums replace what rank 0 has sent.
  void addUp() {
    std::array<float, kBlock> sums;
    for (size_t start = 0; start < static_cast<size_t>(own_); start += kBlock) {
      const size_t length = std::min(kBlock, static_cast<size_t>(own_) - start);
      sums.fill(-0.0F);  // to which -0 is added as to itself
      for (const int place : places_) {
        const uint16_t* const given = received_.data() + place + start;
        for (size_t i = 0; i < length; ++i) sums[i] += fromBfloat16(given[i]);
      }
      for (size_t i = 0; i < length; ++i) received_[start + i] = toBfloat16(sums[i]);
    }
  }

  float* const values_;
  const size_t count_;
  const float scale_;
  // Of each rank's part, in the values.
  std::vector<int> starts_, lengths_;
  // Of each rank's values of the own part, in what is received.
  std::vector<int> places_, ownLengths_;
  std::vector<uint16_t> received_;
  int own_ = 0;
};

}  // namespace alexnet::mpi
