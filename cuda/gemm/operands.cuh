// How a GEMM's operands come from global memory into a tile's buffer (cuda/gemm/tile.cuh): in pieces of 16 bytes, zero
// where the operand has no element, converted to fp32 on the way.
//   AlongDepth   contiguous along K, as a window's channels are: transposed on the way, stored value by value
//   AlongWidth   contiguous along the tile's rows or columns: stored as they come, 4 values at once
// An Operand says where an element lies (implicit GEMM): `address(...)`, null where there is none, and the radix that
// the depth is counted in. AlongDepth computes `line(index)` of its row or column once; AlongWidth counts along the width
// in a radix too. kVector: a piece is one aligned 16-byte load; otherwise it is gathered value by value.
#pragma once

#include <cuda_bf16.h>

#include <utility>

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
template <class T, bool kVector, class Number, class Radix, class AddressOf>
__device__ inline Piece fetchPiece(Number at, const Radix& radix, const AddressOf& addressOf) {
  if constexpr (kVector) {
    const T* const address = addressOf(at);
    if (address == nullptr) return {};
    const uint4 words = __ldg(reinterpret_cast<const uint4*>(address));
    return {{words.x, words.y, words.z, words.w}};
  } else {
    Piece piece = {};
#pragma unroll
    for (int i = 0; i < 16 / static_cast<int>(sizeof(T)); ++i) {
      if constexpr (sizeof(T) == 4)
        piece.words[i] = loadBits(addressOf(at));
      else
        piece.words[i / 2] |= loadBits(addressOf(at)) << i % 2 * 16;
      next(at, radix);
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

template <class Tile, unsigned kWidth, bool kVector, class Operand>
class AlongDepth {
  static constexpr unsigned kValues = Tile::kDepth / 2;
  static_assert(kWidth * 2 == Tile::kThreads, "a piece for each thread and step");

 public:
  __device__ AlongDepth(const Operand& operand, int64_t firstLine, int64_t firstDepth)
      : operand_(operand),
        line_(operand.line(firstLine + line())),
        depth_(digitsOf(firstDepth + depth(), operand.depthRadix())) {}

  __device__ void fetch() {
    const auto addressOf = [&](const auto& depth) { return operand_.address(line_, depth); };
    piece_ = fetchPiece<typename Tile::Type, kVector>(depth_, operand_.depthRadix(), addressOf);
    advance(depth_, Tile::kDepth, operand_.depthRadix());
  }

  __device__ void store(float* buffer) const {
    float values[kValues];
    unpackPiece(piece_, values);
    float* const place = buffer + swizzled<Tile>(depth(), line() / 4, kWidth) + line() % 4;
#pragma unroll
    for (unsigned i = 0; i < kValues; ++i) place[i * kWidth] = values[i];
  }

 private:
  static __device__ unsigned line() { return threadIdx.x / 2; }
  static __device__ unsigned depth() { return threadIdx.x % 2 * kValues; }

  const Operand operand_;
  const typename Operand::Line line_;
  decltype(digitsOf(0, std::declval<Operand>().depthRadix())) depth_;
  Piece piece_;
};

template <class Tile, unsigned kWidth, bool kVector, class Operand>
class AlongWidth {
  static constexpr unsigned kValues = Tile::kDepth / 2;
  static constexpr unsigned kAcross = kWidth / kValues;  // threads side by side along the width
  static_assert(Tile::kThreads / kAcross == Tile::kDepth, "a piece for each thread and step");

 public:
  __device__ AlongWidth(const Operand& operand, int64_t firstPlace, int64_t firstDepth)
      : operand_(operand),
        place_(digitsOf(firstPlace + place(), operand.widthRadix())),
        depth_(digitsOf(firstDepth + depth(), operand.depthRadix())) {}

  __device__ void fetch() {
    const auto addressOf = [&](const auto& place) { return operand_.address(depth_, place); };
    piece_ = fetchPiece<typename Tile::Type, kVector>(place_, operand_.widthRadix(), addressOf);
    advance(depth_, Tile::kDepth, operand_.depthRadix());
  }

  __device__ void store(float* buffer) const {
    float values[kValues];
    unpackPiece(piece_, values);
    if constexpr (kValues == 4)
      store4(buffer + swizzled<Tile>(depth(), place() / 4, kWidth), values);
    else
      storeHalves(buffer, values);
  }

 private:
  static __device__ unsigned place() { return threadIdx.x % kAcross * kValues; }
  static __device__ unsigned depth() { return threadIdx.x / kAcross; }

  // Lanes are 32 bytes apart. Every other 4 lanes store their upper half first, so 8 lanes hit all 32 banks.
  static __device__ void storeHalves(float* buffer, const float (&values)[8]) {
    const unsigned upperFirst = threadIdx.x / 4 % 2;
    float first[4], second[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      first[i] = upperFirst ? values[4 + i] : values[i];
      second[i] = upperFirst ? values[i] : values[4 + i];
    }
    store4(buffer + swizzled<Tile>(depth(), place() / 4 + upperFirst, kWidth), first);
    store4(buffer + swizzled<Tile>(depth(), place() / 4 + 1 - upperFirst, kWidth), second);
  }

  const Operand operand_;
  const decltype(digitsOf(0, std::declval<Operand>().widthRadix())) place_;
  decltype(digitsOf(0, std::declval<Operand>().depthRadix())) depth_;
  Piece piece_;
};

}  // namespace alexnet::cuda
