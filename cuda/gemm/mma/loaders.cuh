// How a GEMM's operands come into the stages of a tile's ring (cuda/gemm/mma/tile.cuh): copied as they are, 16 bytes at a
// time, zeros where the operand has no element. What differs from copy to copy within a step costs one addition and one
// test; 64-bit products and divisions stay outside the main loop.
//   Windows   Rows layout. The windows of a convolution, or the output pixels that an input pixel took part in. A row is
//             an offset and a mask with a bit for each tap (r, s); all of a thread's rows share their place in the depth
//   Kernels   Rows layout. A matrix [row][depth]
//   Matrix    Deep layout. A matrix [depth][row]
//   Table     Deep layout. Lines of the depth lie anywhere: one warp looks them up a step ahead, in a table of shared memory
// copy<kParts>(…, part, wanted) copies a part of the next step, which is over with the last of kParts; zeros where it is not
// `wanted`. Offsets count elements from the group's first, in 32 bits: launchers see to it that they suffice.
#pragma once

#include "../geometry.cuh"
#include "tile.cuh"

namespace alexnet::cuda::mma {

template <class Element>
constexpr int kPieceOf = 16 / static_cast<int>(sizeof(Element));  // elements of 16 bytes
constexpr int kMostTaps = 32;                                     // of a window: bits of a mask

// What the loaders of Rows have in common: a thread copies piece threadIdx.x % 4 of every kAtOnce-th row.
template <class T, int kWidth>
struct RowsOfThread {
  using Element = typename T::Element;
  using Layout = Rows<Element, kWidth>;
  static constexpr int kPiece = kPieceOf<Element>;
  static constexpr int kAtOnce = T::kThreads / 4;
  static constexpr int kCopies = (kWidth + kAtOnce - 1) / kAtOnce;

  static __device__ unsigned piece() { return threadIdx.x % 4; }
  static __device__ unsigned row(unsigned copy) { return threadIdx.x / 4 + copy * kAtOnce; }
  static __device__ bool has(unsigned copy) { return kWidth % kAtOnce == 0 || row(copy) < kWidth; }
  // Of a copy, from the stage's operand on. kAtOnce is a multiple of 8: all of a thread's rows have the same swizzle.
  static __device__ SharedAddress place(unsigned copy) {
    return Layout::place(row(0), piece()) + copy * kAtOnce * Layout::kPitch;
  }
};

// The rows of an implicit GEMM: pixels [images, height, width], and the pixels of a tensor [images, sourceHeight,
// sourceWidth, channels] that each takes in. Tap (r, s) of pixel (y, x) is (stride y + top +- r, stride x + left +- s).
struct Gather {
  int images, height, width;
  int sourceHeight, sourceWidth, channels;
  int stride, top, left;
  int windowHeight, windowWidth;
  Radix taps;  // (r, s, channel of the group), by K steps
};

// kReversed: minus r and minus s, as the input gradient has them.
template <class T, int kWidth, bool kReversed>
class Windows : RowsOfThread<T, kWidth> {
  using Base = RowsOfThread<T, kWidth>;
  using typename Base::Element;

 public:
  using typename Base::Layout;

  __device__ Windows(const Gather& gather, const Element* group, int64_t firstRow, int64_t firstDepth)
      : gather_(gather),
        group_(group),
        tap_(digitsOf(static_cast<unsigned>(firstDepth) + Base::piece() * Base::kPiece, gather.taps)) {
#pragma unroll
    for (unsigned i = 0; i < Base::kCopies; ++i) locate(firstRow + Base::row(i), i);
  }

  template <int kParts>
  __device__ void copy(SharedAddress stage, int part, bool wanted) {
    if (part == 0) {
      const int pixel = tap_.high * gather_.sourceWidth + tap_.middle;
      offset_ = (kReversed ? -pixel : pixel) * gather_.channels + tap_.low;
      const int tap = tap_.high * gather_.windowWidth + tap_.middle;
      bit_ = wanted && tap_.high < gather_.windowHeight ? 1U << tap : 0U;
      add(tap_, gather_.taps.step, gather_.taps);
    }
#pragma unroll
    for (int i = 0; i < Base::kCopies; ++i) {
      if (i % kParts != part) continue;
      const bool exists = (masks_[i] & bit_) != 0;
      if (Base::has(i)) copyPiece(stage + Base::place(i), group_ + (exists ? offsets_[i] + offset_ : 0), exists);
    }
  }

 private:
  __device__ void locate(int64_t row, unsigned i) {
    const auto number = static_cast<unsigned>(row);
    const unsigned line = number / static_cast<unsigned>(gather_.width);
    const auto x = static_cast<int>(number % static_cast<unsigned>(gather_.width)) * gather_.stride + gather_.left;
    const auto y = static_cast<int>(line % static_cast<unsigned>(gather_.height)) * gather_.stride + gather_.top;
    const auto n = static_cast<int>(line / static_cast<unsigned>(gather_.height));
    offsets_[i] = ((n * gather_.sourceHeight + y) * gather_.sourceWidth + x) * gather_.channels;
    const unsigned columns = tapsWithin(x, gather_.sourceWidth, gather_.windowWidth);
    const unsigned rows = tapsWithin(y, gather_.sourceHeight, gather_.windowHeight);
    masks_[i] = 0;
    for (int r = 0; n < gather_.images && r < gather_.windowHeight; ++r) {
      if ((rows >> r & 1U) != 0) masks_[i] |= columns << r * gather_.windowWidth;
    }
  }

  // A bit for each of `taps` neighbours of a place, upwards or, reversed, downwards: whether it is one of 0 to size - 1.
  static __device__ unsigned tapsWithin(int place, int size, int taps) {
    const int first = max(0, kReversed ? place - size + 1 : -place);
    const int end = min(taps, kReversed ? place + 1 : size - place);
    if (first >= end) return 0;
    return (end < 32 ? (1U << end) - 1U : ~0U) & ~((1U << first) - 1U);
  }

  const Gather& gather_;
  const Element* const group_;
  Digits tap_;  // of the next step
  int offset_;  // of the step's tap, and its bit
  unsigned bit_;
  int offsets_[Base::kCopies];
  unsigned masks_[Base::kCopies];
};

// `lines` rows of `pitch` elements, all of which are depth.
template <class T, int kWidth>
class Kernels : RowsOfThread<T, kWidth> {
  using Base = RowsOfThread<T, kWidth>;
  using typename Base::Element;

 public:
  using typename Base::Layout;

  __device__ Kernels(const Element* matrix, int64_t lines, int pitch, int64_t firstRow, int64_t firstDepth)
      : matrix_(matrix),
        pitch_(pitch),
        left_(static_cast<int>(lines - firstRow) - static_cast<int>(Base::row(0))),
        depth_(static_cast<int>(firstDepth) + static_cast<int>(Base::piece()) * Base::kPiece),
        row_(static_cast<int>(firstRow + Base::row(0)) * pitch) {}

  template <int kParts>
  __device__ void copy(SharedAddress stage, int, int part, bool wanted) {
#pragma unroll
    for (int i = 0; i < Base::kCopies; ++i) {
      if (i % kParts != part) continue;
      const int down = i * Base::kAtOnce;
      const bool exists = wanted && depth_ < pitch_ && down < left_;
      if (Base::has(i))
        copyPiece(stage + Base::place(i), matrix_ + (exists ? row_ + down * pitch_ + depth_ : 0), exists);
    }
    if (part == kParts - 1) depth_ += T::kDepth;
  }
  __device__ void tabulate(int) {}

 private:
  const Element* const matrix_;
  const int pitch_;
  const int left_;  // rows from the thread's first on
  int depth_, row_;
};

// What the loaders of Deep have in common: a thread copies piece piece() of every kAtOnce-th line of the depth. Threads
// beyond kThreads have nothing to do.
template <class T, int kWidth>
struct LinesOfThread {
  using Element = typename T::Element;
  using Layout = Deep<Element, kWidth>;
  static constexpr int kPiece = kPieceOf<Element>;
  static constexpr int kAcross = kWidth / kPiece;
  static constexpr int powerUpTo(int most) { return most < 2 ? 1 : 2 * powerUpTo(most / 2); }
  static constexpr int kAtOnce = powerUpTo(T::kThreads / kAcross < T::kDepth ? T::kThreads / kAcross : T::kDepth);
  static constexpr int kCopies = T::kDepth / kAtOnce;
  static constexpr int kThreads = kAtOnce * kAcross;

  static __device__ bool works() { return kThreads == T::kThreads || threadIdx.x < kThreads; }
  static __device__ unsigned piece() { return threadIdx.x % kAcross; }
  static __device__ unsigned line(unsigned copy) { return threadIdx.x / kAcross + copy * kAtOnce; }
  static __device__ SharedAddress place(unsigned copy) { return Layout::place(line(copy), piece()); }
};

// A matrix [lines][pitch], of whose columns the group has `columns`.
template <class T, int kWidth>
class Matrix : LinesOfThread<T, kWidth> {
  using Base = LinesOfThread<T, kWidth>;
  using typename Base::Element;

 public:
  using typename Base::Layout;

  __device__ Matrix(const Element* group, int64_t lines, int pitch, int columns, int64_t firstColumn,
                    int64_t firstDepth)
      : group_(group),
        pitch_(pitch),
        left_(static_cast<int>(lines - firstDepth) - static_cast<int>(Base::line(0))),
        offset_(static_cast<int>(firstDepth + Base::line(0)) * pitch + static_cast<int>(firstColumn) +
                static_cast<int>(Base::piece()) * Base::kPiece) {
    if (static_cast<int>(firstColumn) + static_cast<int>(Base::piece()) * Base::kPiece >= columns) left_ = 0;
  }

  template <int kParts>
  __device__ void copy(SharedAddress stage, int part, bool wanted) {
#pragma unroll
    for (int i = 0; i < Base::kCopies; ++i) {
      if (i % kParts != part) continue;
      const int down = i * Base::kAtOnce;
      const bool exists = wanted && down < left_;
      if (Base::works()) copyPiece(stage + Base::place(i), group_ + (exists ? offset_ + down * pitch_ : 0), exists);
    }
    if (part < kParts - 1) return;
    offset_ += T::kDepth * pitch_;
    left_ -= T::kDepth;
  }

 private:
  const Element* const group_;
  const int pitch_;
  int left_;  // lines from the thread's first on; none where its columns are beyond the group's
  int offset_;
};

// Lines that a Source finds:
//   Entry at(const Digits& depth)              of a line of the depth, for the table
//   bool find(const Entry& entry, int& offset) where the thread's piece of it lies, if it exists
// The Source knows the thread's piece; `radix()` is what it counts the depth in.
template <class T, int kWidth, class Source>
class Table : LinesOfThread<T, kWidth> {
  using Base = LinesOfThread<T, kWidth>;
  using typename Base::Element;
  using Entry = typename Source::Entry;

 public:
  using typename Base::Layout;

  __device__ Table(const Source& source, const Element* group, int64_t firstDepth)
      : source_(source),
        group_(group),
        depth_(digitsOf(static_cast<unsigned>(firstDepth) + threadIdx.x % T::kDepth, source.radix())) {}

  static __device__ int firstOfPiece() { return static_cast<int>(Base::piece()) * Base::kPiece; }

  // Writes the entries of the next step.
  __device__ void tabulate(int slot) {
    if (threadIdx.x >= T::kDepth) return;
    entries()[slot][threadIdx.x] = source_.at(depth_);
    add(depth_, source_.radix().step, source_.radix());
  }

  template <int kParts>
  __device__ void copy(SharedAddress stage, int slot, int part, bool wanted) {
    if (part == 0) {  // all at once: none waits for a copy before it
#pragma unroll
      for (int i = 0; i < Base::kCopies; ++i) found_[i] = entries()[slot][Base::line(i) % T::kDepth];
    }
#pragma unroll
    for (int i = 0; i < Base::kCopies; ++i) {
      if (i % kParts != part) continue;
      int offset = 0;
      const bool exists = source_.find(found_[i], offset) && wanted;
      if (Base::works()) copyPiece(stage + Base::place(i), group_ + (exists ? offset : 0), exists);
    }
  }

 private:
  using Slot = Entry[T::kDepth];
  static __device__ Slot* entries() {
    __shared__ Slot slots[2];
    return slots;
  }

  const Source source_;
  const Element* const group_;
  Digits depth_;
  Entry found_[Base::kCopies];  // of the step that is being copied
};

}  // namespace alexnet::cuda::mma
