// The arithmetic of local response normalization, for lrn.cu and lrn_max_pool.cu.
//   d[i] = k + alpha * sum a[j]^2,   |j - i| <= size / 2, clipped to i's column: a row of C / columns channels
// Operations are rounded as they are written (__fmul_rn, __fmaf_rn): no compiler joins a product and a sum in one kernel
// that it leaves apart in another, and the fused pass has the bits of the two.
#pragma once

#include <string>

#include "../../core/operations.h"
#include "../runtime/divisor.cuh"
#include "../runtime/launch.cuh"
#include "chunks.cuh"

namespace alexnet::cuda {

constexpr int kLrnHalf = 2;                        // size / 2 where chunks are used
constexpr int kLrnWindow = kChunk + 2 * kLrnHalf;  // a chunk with what its windows reach

struct LrnParameters {
  float alpha, beta, k;
};

// x^-beta and 1 / x. beta = 3/4, the paper's, takes two instructions of approximation, sqrt(1/x) and sqrt(sqrt(1/x)), and
// none for the division.
struct Inverses {
  float power, first;
};
template <bool kThreeQuarters>
__device__ inline Inverses inversesOf(float x, float beta) {
  if constexpr (kThreeQuarters) {
    float root, fourthRoot;  // of 1 / x
    asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(root) : "f"(x));
    asm("sqrt.approx.ftz.f32 %0, %1;" : "=f"(fourthRoot) : "f"(root));
    return {__fmul_rn(root, fourthRoot), __fmul_rn(root, root)};
  } else {
    return {powf(x, -beta), __fdiv_rn(1.0F, x)};
  }
}

// sums[i] = window[i] + ... + window[i + 4], from left to right.
__device__ inline void windowSums(const float (&window)[kLrnWindow], float (&sums)[kChunk]) {
#pragma unroll
  for (int i = 0; i < kChunk; ++i) {
    sums[i] = window[i];
#pragma unroll
    for (int j = 1; j <= 2 * kLrnHalf; ++j) sums[i] = __fadd_rn(sums[i], window[i + j]);
  }
}

// From sums of squares.
__device__ inline float denominatorOf(float squares, const LrnParameters& parameters) {
  return __fmaf_rn(parameters.alpha, squares, parameters.k);
}

// A lane's chunk where a warp goes along rows. Its neighbours' channels come by shuffle, so a warp's first and last lane
// only help: it writes 30 chunks, and neighbouring warps overlap by two.
constexpr int kChunksPerWarp = 30;
struct LaneChunk {
  int64_t chunk;
  bool exists, writes;     // lanes without a chunk stay: the shuffles name the whole warp
  bool hasLeft, hasRight;  // whether the neighbours' chunks are of the same row
};
__device__ inline LaneChunk chunkOfLane(int64_t chunks, const Divisor& chunksPerRow) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int64_t warp = static_cast<int64_t>(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32;
  LaneChunk place;
  place.chunk = warp * kChunksPerWarp + lane - 1;
  place.exists = place.chunk >= 0 && place.chunk < chunks;
  place.writes = place.exists && lane > 0 && lane < 31;
  const unsigned inRow = place.exists ? chunksPerRow.remainder(static_cast<unsigned>(place.chunk)) : 0;
  place.hasLeft = place.exists && inRow > 0;
  place.hasRight = place.exists && inRow + 1 < chunksPerRow.divisor;
  return place;
}

// sums[i] = terms[i - 2] + ... + terms[i + 2], within the row. Incomplete, and unused, for the first two channels of a
// warp's first lane and the last two of its last lane, whose neighbours no lane holds.
__device__ inline void rowSums(const float (&terms)[kChunk], const LaneChunk& at, float (&sums)[kChunk]) {
  constexpr unsigned kWarp = 0xffffffffU;
  float window[kLrnWindow];  // channels -2 .. 9 of this chunk
#pragma unroll
  for (int i = 0; i < kChunk; ++i) window[kLrnHalf + i] = terms[i];
#pragma unroll
  for (int i = 0; i < kLrnHalf; ++i) {
    const float left = __shfl_up_sync(kWarp, terms[kChunk - kLrnHalf + i], 1);
    const float right = __shfl_down_sync(kWarp, terms[i], 1);
    window[i] = at.hasLeft ? left : 0.0F;
    window[kLrnHalf + kChunk + i] = at.hasRight ? right : 0.0F;
  }
  windowSums(window, sums);
}

// Turns inputs a into outputs, with the sums of squares of their windows.
template <bool kThreeQuarters>
__device__ inline void normalize(float (&a)[kChunk], const float (&sums)[kChunk], const LrnParameters& parameters) {
#pragma unroll
  for (int i = 0; i < kChunk; ++i) {
    a[i] *= inversesOf<kThreeQuarters>(denominatorOf(sums[i], parameters), parameters.beta).power;
  }
}

// Turns the gradients of a lane's outputs into those of its inputs a.
//   da[i] = db[i] d[i]^-beta - 2 alpha beta a[i] * sum db[j] a[j] d[j]^(-beta-1)
template <bool kThreeQuarters>
__device__ inline void lrnGradients(const float (&a)[kChunk], float (&gradients)[kChunk], const LaneChunk& at,
                                    const LrnParameters& parameters) {
  float terms[kChunk], sums[kChunk];
#pragma unroll
  for (int i = 0; i < kChunk; ++i) terms[i] = __fmul_rn(a[i], a[i]);
  rowSums(terms, at, sums);
#pragma unroll
  for (int i = 0; i < kChunk; ++i) {
    const Inverses inverses = inversesOf<kThreeQuarters>(denominatorOf(sums[i], parameters), parameters.beta);
    gradients[i] = __fmul_rn(gradients[i], inverses.power);
    terms[i] = __fmul_rn(__fmul_rn(gradients[i], a[i]), inverses.first);
  }
  rowSums(terms, at, sums);
  const float scale = 2.0F * parameters.alpha * parameters.beta;
#pragma unroll
  for (int i = 0; i < kChunk; ++i) gradients[i] = __fmaf_rn(-scale * a[i], sums[i], gradients[i]);
}

// For shapes off 8 channels: the window of element `i`, clipped to its row, from .x up to .y.
__device__ inline longlong2 windowOf(int64_t i, int64_t rowLength, int64_t half) {
  const int64_t row = i / rowLength * rowLength;
  return make_longlong2(i - half > row ? i - half : row,
                        i + half + 1 < row + rowLength ? i + half + 1 : row + rowLength);
}

template <class T>
__device__ float denominator(const T* input, int64_t i, int64_t rowLength, int64_t half,
                             const LrnParameters& parameters) {
  const longlong2 window = windowOf(i, rowLength, half);
  float sum = 0;
  for (int64_t j = window.x; j < window.y; ++j) sum = __fmaf_rn(widen(input[j]), widen(input[j]), sum);
  return denominatorOf(sum, parameters);
}

// lrn's output of element `i`.
template <class T>
__device__ float normalized(const T* input, int64_t i, int64_t rowLength, int64_t half,
                            const LrnParameters& parameters) {
  return widen(input[i]) * powf(denominator(input, i, rowLength, half, parameters), -parameters.beta);
}

// The gradient of element `i`, given the output's gradient of any element.
template <class T, class Gradient>
__device__ float lrnGradient(const T* input, const Gradient& outputGradient, int64_t i, int64_t rowLength, int64_t half,
                             const LrnParameters& parameters) {
  const longlong2 window = windowOf(i, rowLength, half);
  float direct = 0;
  float sum = 0;
  for (int64_t j = window.x; j < window.y; ++j) {
    const float d = denominator(input, j, rowLength, half, parameters);
    const float gradient = __fmul_rn(outputGradient(j), powf(d, -parameters.beta));
    sum = __fadd_rn(sum, __fdiv_rn(__fmul_rn(gradient, widen(input[j])), d));
    if (j == i) direct = gradient;
  }
  return __fmaf_rn(-2.0F * parameters.alpha * parameters.beta * widen(input[i]), sum, direct);
}

// What the kernels need beside their tensors.
struct LrnArguments {
  LrnArguments(const Tensor& input, const LrnShape& shape)
      : elements(input.elements()),
        rowLength(input.dimension(3) / shape.columns),
        half(shape.size / 2),
        parameters{shape.alpha, shape.beta, shape.k} {
    if (elements >= int64_t{1} << 34) throw Error(kArgument, "a tensor must have fewer than 2^34 elements on CUDA.");
  }
  bool inChunks(std::initializer_list<const void*> tensors) const {
    return half == kLrnHalf && rowLength % kChunk == 0 && areWide(tensors);
  }
  Divisor chunksPerRow() const { return Divisor(rowLength / kChunk); }
  bool hasThreeQuarters() const { return parameters.beta == 0.75F; }
  int64_t elements, rowLength, half;
  LrnParameters parameters;
};

inline void requireApart(const char* name, const Tensor& input, const char* otherName, const Tensor& other) {
  const auto begin = reinterpret_cast<uintptr_t>(input.data());
  const auto otherBegin = reinterpret_cast<uintptr_t>(other.data());
  if (begin + input.bytes() <= otherBegin || otherBegin + other.bytes() <= begin) return;
  throw Error(kArgument, std::string(name) + " must not overlap " + otherName + " on CUDA.");
}

}  // namespace alexnet::cuda
