// fp16, bf16 and tf32 in terms of fp32, where all their values, sums and products of two are exact or rounded once.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace alexnet::simulator {

inline uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}

inline float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

inline float fromBfloat16(uint32_t bits) { return floatOf(bits << 16); }

inline uint32_t toBfloat16(float value) {
  const uint32_t bits = bitsOf(value);
  if (value != value) return 0x7fff;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

inline float fromHalf(uint32_t bits) {
  const uint32_t sign = (bits & 0x8000) << 16, exponent = bits >> 10 & 31, fraction = bits & 0x3ff;
  if (exponent == 31) return floatOf(sign | 0x7f800000 | fraction << 13);
  if (exponent == 0) return floatOf(sign | bitsOf(static_cast<float>(fraction) * 0x1p-24F));
  return floatOf(sign | (exponent + 112) << 23 | fraction << 13);
}

inline uint32_t toHalf(double value) {
  if (value != value) return 0x7fff;
  const uint32_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::fabs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  int exponent = 0;
  std::frexp(magnitude, &exponent);  // magnitude = f * 2^exponent, .5 <= f < 1
  const int place = exponent - 11 < -24 ? -24 : exponent - 11;
  const double scaled = std::nearbyint(std::ldexp(magnitude, -place));  // in units of the last place
  const double rounded = std::ldexp(scaled, place);
  if (rounded < 0x1p-14) return sign | static_cast<uint32_t>(std::ldexp(rounded, 24));
  std::frexp(rounded, &exponent);
  const auto fraction = static_cast<uint32_t>(std::ldexp(rounded, 11 - exponent)) & 0x3ff;
  return sign | static_cast<uint32_t>(exponent + 14) << 10 | fraction;
}

// The multiplier reads the upper 19 bits of a word.
inline float fromTf32(uint32_t bits) { return floatOf(bits & 0xffffe000U); }

}  // namespace alexnet::simulator
