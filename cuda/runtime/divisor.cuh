// Division by a number that is the same for a whole launch: a multiplication and a shift in place of some twenty
// instructions.
#pragma once

#include <cstdint>

namespace alexnet::cuda {

// Of numbers below 2^31, by one from 1 to 2^31. With 2^shift the power of two that is not below the divisor d,
//   n / d = (n + floor(n factor / 2^32)) >> shift,   factor = floor(2^32 (2^shift - d) / d) + 1
// (Granlund and Montgomery, "Division by invariant integers using multiplication", 1994).
struct Divisor {
  explicit Divisor(int64_t value) : divisor(static_cast<unsigned>(value)), shift(0) {
    while ((uint64_t{1} << shift) < divisor) ++shift;
    factor = static_cast<unsigned>((((uint64_t{1} << shift) - divisor) << 32) / divisor + 1);
  }
  __device__ unsigned quotient(unsigned number) const { return (number + __umulhi(number, factor)) >> shift; }
  // Of a number with this quotient.
  __device__ unsigned remainder(unsigned number, unsigned quotient) const { return number - quotient * divisor; }
  __device__ unsigned remainder(unsigned number) const { return remainder(number, quotient(number)); }

  unsigned divisor, shift, factor;
};

}  // namespace alexnet::cuda
