// Plain loops over memory: what they all need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

// Compiles a function once per instruction set and picks the best where the addon is loaded: a plain loop in
// it then uses the machine's vectors, while the addon still loads on an older one.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__)
#define ALEXNET_VECTORIZED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define ALEXNET_VECTORIZED
#endif
// For what such a function calls, to be compiled with it.
#define ALEXNET_INLINE inline __attribute__((always_inline))

namespace alexnet::cpu {

// bf16 is the upper half of an fp32 number.
struct Bfloat16 {
  uint16_t bits;
};

inline float widen(float value) { return value; }
inline float widen(Bfloat16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

template <class Real>
Real narrow(float value);
template <>
inline float narrow<float>(float value) {
  return value;
}
// To the nearest, ties to even. A NaN stays one: rounding could carry it over into infinity.
template <>
inline Bfloat16 narrow<Bfloat16>(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
  const uint32_t quieted = (bits >> 16) | 0x40U;
  return {static_cast<uint16_t>((bits & 0x7FFFFFFFU) > 0x7F800000U ? quieted : rounded)};
}

// Splits [0, elements) into pieces and gives `body(begin, end)` to the threads; a single piece needs none of them. Elements
// must not depend on each other, so that the result does not depend on the number of threads.
template <int64_t kPiece = 1 << 15, class Body>
void inPieces(int64_t elements, const Body& body) {
  const int64_t pieces = (elements + kPiece - 1) / kPiece;
#pragma omp parallel for schedule(static) if (pieces > 1)
  for (int64_t piece = 0; piece < pieces; ++piece) {
    const int64_t begin = piece * kPiece;
    body(begin, begin + kPiece < elements ? begin + kPiece : elements);
  }
}

inline void copyBytes(void* destination, const void* source, size_t bytes) {
  auto* const to = static_cast<char*>(destination);
  const auto* const from = static_cast<const char*>(source);
  if (to < from + bytes && from < to + bytes) {
    std::memmove(to, from, bytes);
    return;
  }
  inPieces(static_cast<int64_t>(bytes), [&](int64_t begin, int64_t end) {
    std::memcpy(to + begin, from + begin, static_cast<size_t>(end - begin));
  });
}

}  // namespace alexnet::cpu
