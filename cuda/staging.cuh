// How operands of a matrix product come from memory into a tile's buffer (cuda/tile.cuh): in pieces of 16 bytes, which
// are zero where the operand has no element, and become fp32 on the way.
//   AlongDepth   pieces run along the depth, as a window's channels do: stored value by value, one depth each
//   AlongWidth   pieces run along rows or columns of the tile: stored as they come, in fours
// An Operand says where an element lies. Both classes ask it for `address(...)`, null where there is none, and for the
// radix that the depth is counted in. AlongDepth remembers of a row or column what `line(index)` returns; AlongWidth
// counts along the width in a radix too. With kVector a piece is one load: it is aligned and never ends within a run.
// Without, it is gathered value by value.
#pragma once

#include <cuda_bf16.h>

#include "geometry.cuh"
#include "tile.cuh"

namespace alexnet::cuda {

struct Piece {
  unsigned words[4];
};

__device__ inline unsigned loadBits(const float* address) {
  return address != nullptr ? __float_as_uint(__ldg(address)) : 0;
}
__device__ inline unsigned loadBits(const __nv_bfloat16* address) {
  return address != nullptr ? __ldg(reinterpret_cast<const unsigned short*>(address)) : 0;
}

// The piece that begins at `at` and runs along its lowest digit.
template <class T, bool kVector, class AddressOf>
__device__ inline Piece fetchPiece(Digits at, Radix radix, AddressOf addressOf) {
  if constexpr (kVector) {
    const T* const address = addressOf(at);
    if (address == nullptr) return {};
    const uint4 words = __ldg(reinterpret_cast<const uint4*>(address));
    return {{words.x, words.y, words.z, words.w}};
  } else {
    Piece piece = {};
#pragma unroll
    for (int i = 0; i < 16 / static_cast<int>(sizeof(T)); ++i) {
      if constexpr (sizeof(T) == 4) piece.words[i] = loadBits(addressOf(at));
      else piece.words[i / 2] |= loadBits(addressOf(at)) << i % 2 * 16;
      add(at, {0, 0, 1}, radix);
    }
    return piece;
  }
}

__device__ inline void unpackPiece(const Piece& piece, float (&values)[4]) {
#pragma unroll
  for (int i = 0; i < 4; ++i) values[i] = __uint_as_float(piece.words[i]);
}
__device__ inline void unpackPiece(const Piece& piece, float (&values)[8]) {
#pragma unroll
  for (int i = 0; i < 4; ++i) unpack(piece.words[i], values[2 * i], values[2 * i + 1]);
}

template <class Tile, int kWidth, class T, bool kVector, class Operand>
class AlongDepth {
  static constexpr int kValues = 16 / sizeof(T);
  static constexpr int kAcross = Tile::kDepth / kValues;  // threads side by side along the depth
  static constexpr int kLines = Tile::kThreads / kAcross;
  static constexpr int kPieces = kWidth / kLines;

 public:
  __device__ AlongDepth(const Operand& operand, int64_t firstLine, int64_t firstDepth)
      : operand_(operand), radix_(operand.depthRadix()), step_(digitsOf(Tile::kDepth, radix_)) {
#pragma unroll
    for (int i = 0; i < kPieces; ++i) lines_[i] = operand_.line(firstLine + line() + i * kLines);
    depth_ = digitsOf(firstDepth + depth(), radix_);
  }

  __device__ void fetch() {
#pragma unroll
    for (int i = 0; i < kPieces; ++i) {
      pieces_[i] = fetchPiece<T, kVector>(depth_, radix_, [&](const Digits& at) {
        return operand_.address(lines_[i], at);
      });
    }
    add(depth_, step_, radix_);
  }

  __device__ void store(float* buffer) const {
#pragma unroll
    for (int i = 0; i < kPieces; ++i) {
      float values[kValues];
      unpackPiece(pieces_[i], values);
      const int place = line() + i * kLines;
#pragma unroll
      for (int j = 0; j < kValues; ++j) buffer[placeOf(depth() + j, place / 4, kWidth) + place % 4] = values[j];
    }
  }

 private:
  static __device__ int line() { return static_cast<int>(threadIdx.x) / kAcross; }
  static __device__ int depth() { return static_cast<int>(threadIdx.x) % kAcross * kValues; }

  const Operand operand_;
  const Radix radix_;
  const Digits step_;
  typename Operand::Line lines_[kPieces];
  Digits depth_;
  Piece pieces_[kPieces];
};

template <class Tile, int kWidth, class T, bool kVector, class Operand>
class AlongWidth {
  static constexpr int kValues = 16 / sizeof(T);
  static constexpr int kAcross = kWidth / kValues;  // threads side by side along the width
  static constexpr int kDepths = Tile::kThreads / kAcross;
  static constexpr int kPieces = Tile::kDepth / kDepths;

 public:
  __device__ AlongWidth(const Operand& operand, int64_t firstPlace, int64_t firstDepth)
      : operand_(operand),
        radix_(operand.depthRadix()),
        step_(digitsOf(Tile::kDepth, radix_)),
        place_(digitsOf(firstPlace + place(), operand.widthRadix())) {
#pragma unroll
    for (int i = 0; i < kPieces; ++i) depths_[i] = digitsOf(firstDepth + depth() + i * kDepths, radix_);
  }

  __device__ void fetch() {
#pragma unroll
    for (int i = 0; i < kPieces; ++i) {
      pieces_[i] = fetchPiece<T, kVector>(place_, operand_.widthRadix(), [&](const Digits& at) {
        return operand_.address(depths_[i], at);
      });
      add(depths_[i], step_, radix_);
    }
  }

  __device__ void store(float* buffer) const {
#pragma unroll
    for (int i = 0; i < kPieces; ++i) {
      float values[kValues];
      unpackPiece(pieces_[i], values);
      const int at = depth() + i * kDepths;
      if constexpr (kValues == 4) {
        store4(buffer + placeOf(at, place() / 4, kWidth), values);
      } else {
        // Lanes 32 bytes apart: every second four lanes begin with their upper half, so that 8 lanes meet all banks.
        const bool upperFirst = threadIdx.x % 8 >= 4;
        float first[4], second[4];
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          first[j] = upperFirst ? values[4 + j] : values[j];
          second[j] = upperFirst ? values[j] : values[4 + j];
        }
        store4(buffer + placeOf(at, place() / 4 + (upperFirst ? 1 : 0), kWidth), first);
        store4(buffer + placeOf(at, place() / 4 + (upperFirst ? 0 : 1), kWidth), second);
      }
    }
  }

 private:
  static __device__ int place() { return static_cast<int>(threadIdx.x) % kAcross * kValues; }
  static __device__ int depth() { return static_cast<int>(threadIdx.x) / kAcross; }

  const Operand operand_;
  const Radix radix_;
  const Digits step_;
  const Digits place_;
  Digits depths_[kPieces];
  Piece pieces_[kPieces];
};

}  // namespace alexnet::cuda
