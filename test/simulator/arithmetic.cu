// The arithmetic of PTX, instruction by instruction: see instructions.cuh. Prints each opcode that is right.
#include <cfenv>

#include "instructions.cuh"

namespace alexnet::test {
namespace {

using Limits = std::numeric_limits<float>;

// Subnormal numbers are zeros.
float flushed(float value) { return std::fabs(value) < Limits::min() ? std::copysign(0.0F, value) : value; }

template <class T>
T smaller(T a, T b) {
  if (a != a) return b;
  if (b != b) return a;
  if (a == 0 && b == 0) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}

float fmaDown(float a, float b, float c) {
  const int before = std::fegetround();
  std::fesetround(FE_DOWNWARD);
  const volatile float x = a, y = b, z = c;
  const volatile float result = std::fma(x, y, z);
  std::fesetround(before);
  return result;
}

float saturated(float value) { return value > 0 ? (value < 1 ? value : 1.0F) : 0.0F; }

// Towards zero and clamped; of what is no number 0, or 2^(bits-1) where either side has 64 bits.
template <class To, class From>
To truncated(From value) {
  if (value != value)
    return sizeof(From) == 8 || sizeof(To) == 8 ? static_cast<To>(1ULL << (8 * sizeof(To) - 1)) : To{0};
  const long double whole = std::trunc(static_cast<long double>(value));
  if (whole <= static_cast<long double>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
  if (whole >= static_cast<long double>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
  return static_cast<To>(whole);
}

template <class T>
T shiftedRight(T value, uint32_t count) {
  constexpr uint32_t kBits = 8 * sizeof(T);
  if (count < kBits) return static_cast<T>(value >> count);
  return std::is_signed_v<T> && value < 0 ? static_cast<T>(-1) : T{0};
}

uint32_t bfloat16Of(float value) {
  if (value != value) return 0x7fff;
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  const uint32_t half = bits & 0xffff, kept = bits >> 16;
  return half > 0x8000 || (half == 0x8000 && kept % 2 == 1) ? kept + 1 : kept;
}

// To 10 bits of fraction, halves away from zero.
uint32_t tf32Of(float value) {
  if (value != value) return 0x7fffffff;
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return (bits & 0x1fff) >= 0x1000 && !std::isinf(value) ? (bits | 0x1fff) + 1 : bits & ~0x1fffU;
}

// Quotients of integers are not defined for a divisor of 0; MIN / -1 wraps.
template <class T>
T quotient(T a, T b) {
  return std::is_signed_v<T> && b == T(-1)
             ? static_cast<T>(std::make_unsigned_t<T>{0} - static_cast<std::make_unsigned_t<T>>(a))
             : static_cast<T>(a / b);
}
template <class T>
T remainderOf(T a, T b) {
  return std::is_signed_v<T> && b == T(-1) ? T{0} : static_cast<T>(a % b);
}
#define DIVISION(OPCODE, A, EXPECTED)                                              \
  INSTRUCTION(OPCODE, A, A, A, A, b == 0 || d == (EXPECTED), OPCODE " %0, %1, %2;" \
              : "=" LETTER_##A(d)                                                  \
              : LETTER_##A(a), LETTER_##A(b))

uint32_t field(uint32_t from, uint32_t into, uint32_t position, uint32_t length) {
  for (uint32_t bit = 0; bit < (length & 255) && (position & 255) + bit < 32; ++bit) {
    const uint32_t at = (position & 255) + bit;
    into = (into & ~(1U << at)) | (from >> bit & 1U) << at;
  }
  return into;
}

uint32_t bytesPicked(uint32_t low, uint32_t high, uint32_t selection) {
  uint8_t bytes[8];
  std::memcpy(bytes, &low, 4), std::memcpy(bytes + 4, &high, 4);
  uint32_t result = 0;
  for (int i = 0; i < 4; ++i) {
    const uint32_t select = selection >> 4 * i & 15;
    const uint8_t byte = bytes[select & 7];
    result |= static_cast<uint32_t>(select & 8 ? (byte & 0x80 ? 0xff : 0) : byte) << 8 * i;
  }
  return result;
}

// Integers.
BINARY("add.s32", s32, s32, s32, static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
BINARY("add.s64", s64, s64, s64, static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
BINARY("add.s16", s16, s16, s16, a + b);
BINARY("sub.s16", s16, s16, s16, a - b);
BINARY("mul.lo.s16", s16, s16, s16, a* b);
BINARY("mul.wide.u16", u32, u16, u16, uint32_t{a} * b);
BINARY("sub.s32", s32, s32, s32, static_cast<uint32_t>(a) - static_cast<uint32_t>(b));
BINARY("sub.s64", s64, s64, s64, static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
BINARY("mul.lo.s32", s32, s32, s32, static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
BINARY("mul.lo.s64", s64, s64, s64, static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
BINARY("mul.hi.s32", s32, s32, s32, static_cast<int64_t>(a) * b >> 32);
BINARY("mul.hi.u32", u32, u32, u32, static_cast<uint64_t>(a) * b >> 32);
BINARY("mul.hi.u64", u64, u64, u64, static_cast<unsigned __int128>(a) * b >> 64);
BINARY("mul.wide.s32", s64, s32, s32, static_cast<int64_t>(a) * b);
BINARY("mul.wide.u32", u64, u32, u32, static_cast<uint64_t>(a) * b);
TERNARY("mad.lo.s32", s32, s32, s32, s32,
        static_cast<uint32_t>(a) * static_cast<uint32_t>(b) + static_cast<uint32_t>(c));
TERNARY("mad.wide.u32", u64, u32, u32, u64, static_cast<uint64_t>(a) * b + c);
DIVISION("div.s32", s32, quotient(a, b));
DIVISION("div.u32", u32, quotient(a, b));
DIVISION("div.s64", s64, quotient(a, b));
DIVISION("rem.u32", u32, remainderOf(a, b));
DIVISION("rem.s64", s64, remainderOf(a, b));
BINARY("min.s32", s32, s32, s32, a < b ? a : b);
BINARY("max.s32", s32, s32, s32, a < b ? b : a);
BINARY("min.s64", s64, s64, s64, a < b ? a : b);
BINARY("max.s64", s64, s64, s64, a < b ? b : a);
UNARY("neg.s32", s32, s32, 0U - static_cast<uint32_t>(a));
UNARY("neg.s64", s64, s64, uint64_t{0} - static_cast<uint64_t>(a));
UNARY("abs.s32", s32, s32, a < 0 ? 0U - static_cast<uint32_t>(a) : static_cast<uint32_t>(a));

// Bits.
BINARY("and.b16", b16, b16, b16, a& b);
BINARY("and.b32", b32, b32, b32, a& b);
BINARY("and.b64", b64, b64, b64, a& b);
BINARY("or.b32", b32, b32, b32, a | b);
BINARY("or.b64", b64, b64, b64, a | b);
BINARY("xor.b32", b32, b32, b32, a ^ b);
BINARY("xor.b64", b64, b64, b64, a ^ b);
UNARY("not.b32", b32, b32, ~a);
UNARY("not.b64", b64, b64, ~a);
BINARY("shl.b16", b16, b16, u32, b < 16 ? a << b : 0);
BINARY("shl.b32", b32, b32, u32, b < 32 ? a << b : 0);
BINARY("shl.b64", b64, b64, u32, b < 64 ? a << b : 0);
BINARY("shr.u32", u32, u32, u32, shiftedRight(a, b));
BINARY("shr.s32", s32, s32, u32, shiftedRight(a, b));
BINARY("shr.u64", u64, u64, u32, shiftedRight(a, b));
BINARY("shr.s64", s64, s64, u32, shiftedRight(a, b));
TERNARY("shf.l.wrap.b32", b32, b32, b32, u32, (static_cast<uint64_t>(b) << 32 | a) << (c & 31) >> 32);
TERNARY("prmt.b32", b32, b32, b32, b32, bytesPicked(a, b, c));
INSTRUCTION("bfi.b32", b32, b32, b32, u32, EXACT(b32, field(a, b, c, 11)), "bfi.b32 %0, %1, %2, %3, 11;"
            : "=r"(d)
            : "r"(a), "r"(b), "r"(c));
INSTRUCTION("lop3.b32", b32, b32, b32, b32, EXACT(b32, (a & b) ^ (~c | b)), "lop3.b32 %0, %1, %2, %3, 0x1d;"
            : "=r"(d)
            : "r"(a), "r"(b), "r"(c));
UNARY("popc.b32", u32, b32, __builtin_popcount(a));
UNARY("clz.b32", u32, b32, a == 0 ? 32 : __builtin_clz(a));

// Comparisons and choices.
COMPARISON("setp.eq.s32", s32, a == b);
COMPARISON("setp.ne.s32", s32, a != b);
COMPARISON("setp.lt.s32", s32, a < b);
COMPARISON("setp.le.s32", s32, a <= b);
COMPARISON("setp.gt.s32", s32, a > b);
COMPARISON("setp.ge.s32", s32, a >= b);
COMPARISON("setp.lt.u32", u32, a < b);
COMPARISON("setp.le.u32", u32, a <= b);
COMPARISON("setp.gt.u32", u32, a > b);
COMPARISON("setp.ge.u32", u32, a >= b);
COMPARISON("setp.eq.s64", s64, a == b);
COMPARISON("setp.ne.s64", s64, a != b);
COMPARISON("setp.lt.s64", s64, a < b);
COMPARISON("setp.le.s64", s64, a <= b);
COMPARISON("setp.gt.s64", s64, a > b);
COMPARISON("setp.ge.s64", s64, a >= b);
COMPARISON("setp.lt.u64", u64, a < b);
COMPARISON("setp.eq.b32", b32, a == b);
COMPARISON("setp.eq.b64", b64, a == b);
COMPARISON("setp.eq.b16", b16, a == b);
COMPARISON("setp.eq.s16", s16, a == b);
COMPARISON("setp.lt.u16", u16, a < b);
COMPARISON("setp.ne.s16", s16, a != b);
COMPARISON("setp.eq.f32", f32, a == b);
COMPARISON("setp.ne.f32", f32, a<b || a> b);
COMPARISON("setp.lt.f32", f32, a < b);
COMPARISON("setp.le.f32", f32, a <= b);
COMPARISON("setp.gt.f32", f32, a > b);
COMPARISON("setp.ge.f32", f32, a >= b);
COMPARISON("setp.gtu.f32", f32, !(a <= b));
COMPARISON("setp.geu.f32", f32, !(a < b));
COMPARISON("setp.ltu.f32", f32, !(a >= b));
COMPARISON("setp.leu.f32", f32, !(a > b));
COMPARISON("setp.neu.f32", f32, a != b);
COMPARISON("setp.equ.f32", f32, !(a < b) && !(a > b));
COMPARISON("setp.nan.f32", f32, a != a || b != b);
COMPARISON("setp.num.f32", f32, a == a && b == b);
COMPARISON("setp.neu.f64", f64, a != b);
#define LOGIC(OPCODE, EXPECTED)                                                          \
  INSTRUCTION(OPCODE, u32, s32, s32, s32, d == ((EXPECTED) ? 1U : 0U),                   \
              "{ .reg .pred p, q; setp.lt.s32 p, %1, %2; setp.lt.s32 q, %2, %3; " OPCODE \
              " p, p, q; selp.u32 %0, 1, 0, p; }"                                        \
              : "=r"(d)                                                                  \
              : "r"(a), "r"(b), "r"(c))
LOGIC("and.pred", a < b && b < c);
LOGIC("or.pred", a < b || b < c);
LOGIC("xor.pred", (a < b) != (b < c));
INSTRUCTION("not.pred", u32, s32, s32, s32, d == (a < b ? 0U : 1U),
            "{ .reg .pred p; setp.lt.s32 p, %1, %2; not.pred p, p; selp.u32 %0, 1, 0, p; }"
            : "=r"(d)
            : "r"(a), "r"(b));
#define CHOICE(OPCODE, T)                                                         \
  INSTRUCTION(OPCODE, T, T, T, s32, EXACT(T, c < 5 ? a : b),                      \
              "{ .reg .pred p; setp.lt.s32 p, %3, 5; " OPCODE " %0, %1, %2, p; }" \
              : "=" LETTER_##T(d)                                                 \
              : LETTER_##T(a), LETTER_##T(b), "r"(c))
CHOICE("selp.u16", u16);
CHOICE("selp.b16", b16);
CHOICE("selp.b32", b32);
CHOICE("selp.u32", u32);
CHOICE("selp.b64", b64);
CHOICE("selp.f32", f32);
CHOICE("selp.f64", f64);

// Floating point.
BINARY("add.f32", f32, f32, f32, a + b);
BINARY("add.rn.f32", f32, f32, f32, a + b);
BINARY("add.ftz.f32", f32, f32, f32, flushed(flushed(a) + flushed(b)));
BINARY("sub.f32", f32, f32, f32, a - b);
BINARY("mul.f32", f32, f32, f32, a* b);
BINARY("mul.rn.f32", f32, f32, f32, a* b);
BINARY("mul.ftz.f32", f32, f32, f32, flushed(flushed(a) * flushed(b)));
BINARY("div.rn.f32", f32, f32, f32, a / b);
TERNARY("fma.rn.f32", f32, f32, f32, f32, std::fma(a, b, c));
TERNARY("fma.rm.f32", f32, f32, f32, f32, fmaDown(a, b, c));
TERNARY("fma.rn.f64", f64, f64, f64, f64, std::fma(a, b, c));
BINARY("add.f64", f64, f64, f64, a + b);
BINARY("add.rn.f64", f64, f64, f64, a + b);
BINARY("sub.f64", f64, f64, f64, a - b);
BINARY("mul.f64", f64, f64, f64, a* b);
BINARY("mul.rn.f64", f64, f64, f64, a* b);
BINARY("min.f32", f32, f32, f32, smaller(a, b));
BINARY("max.f32", f32, f32, f32, -smaller(-a, -b));
BINARY("max.NaN.f32", f32, f32, f32, a != a || b != b ? a + b : -smaller(-a, -b));
UNARY("neg.f32", f32, f32, -a);
UNARY("neg.f64", f64, f64, -a);
UNARY("abs.f32", f32, f32, std::fabs(a));
BINARY("copysign.f32", f32, f32, f32, std::copysign(b, a));
UNARY("sqrt.rn.f32", f32, f32, std::sqrt(a));
UNARY("sqrt.rn.f64", f64, f64, std::sqrt(a));

// Approximations, within what the PTX manual allows.
NEAR("rcp.approx.ftz.f32", f32, 1.0 / flushed(a), std::fabs(1.0 / a) * 0x1p-23);
NEAR("sqrt.approx.ftz.f32", f32, std::sqrt(static_cast<double>(flushed(a))),
     std::sqrt(static_cast<double>(a)) * 0x1p-23);
NEAR("rsqrt.approx.ftz.f32", f32, 1 / std::sqrt(static_cast<double>(flushed(a))),
     0x1.125p-23 / std::sqrt(static_cast<double>(a)));
NEAR("ex2.approx.ftz.f32", f32, std::exp2(static_cast<double>(flushed(a))),
     std::exp2(static_cast<double>(a)) * 0x1p-22);
NEAR("lg2.approx.ftz.f32", f32, std::log2(static_cast<double>(flushed(a))),
     0x1p-22 * std::fmax(1, std::fabs(std::log2(static_cast<double>(a)))));
INSTRUCTION("rcp.approx.ftz.f64", f64, f64, f64, f64,
            !std::isnormal(a) || !std::isnormal(1 / a) || std::fabs(d * a - 1) < 0x1p-19, "rcp.approx.ftz.f64 %0, %1;"
            : "=d"(d)
            : "d"(a));

// Conversions.
UNARY("cvt.rn.f32.s32", f32, s32, static_cast<float>(a));
UNARY("cvt.rn.f32.u32", f32, u32, static_cast<float>(a));
UNARY("cvt.rn.f32.u16", f32, u16, static_cast<float>(a));
UNARY("cvt.rn.f32.s64", f32, s64, static_cast<float>(a));
UNARY("cvt.rn.f64.u32", f64, u32, static_cast<double>(a));
UNARY("cvt.rn.f32.f64", f32, f64, static_cast<float>(a));
UNARY("cvt.f64.f32", f64, f32, static_cast<double>(a));
UNARY("cvt.rni.f32.f32", f32, f32, std::nearbyint(a));
UNARY("cvt.rmi.f32.f32", f32, f32, std::floor(a));
UNARY("cvt.rpi.f32.f32", f32, f32, std::ceil(a));
UNARY("cvt.rzi.f32.f32", f32, f32, std::trunc(a));
UNARY("cvt.rni.f64.f64", f64, f64, std::nearbyint(a));
UNARY("cvt.rzi.f64.f64", f64, f64, std::trunc(a));
UNARY("cvt.sat.f32.f32", f32, f32, saturated(a));
UNARY("cvt.rzi.s32.f32", s32, f32, truncated<int32_t>(a));
UNARY("cvt.rzi.u32.f32", u32, f32, truncated<uint32_t>(a));
UNARY("cvt.rzi.s64.f32", s64, f32, truncated<int64_t>(a));
UNARY("cvt.rzi.s32.f64", s32, f64, truncated<int32_t>(a));
UNARY("cvt.rzi.s64.f64", s64, f64, truncated<int64_t>(a));
UNARY("cvt.s64.s32", s64, s32, a);
UNARY("cvt.u64.u32", u64, u32, a);
UNARY("cvt.u32.u64", u32, u64, a);
UNARY("cvt.u32.u16", u32, u16, a);
UNARY("cvt.u64.u16", u64, u16, a);
UNARY("cvt.s32.s16", s32, s16, a);
UNARY("cvt.u16.u32", u16, u32, a);
INSTRUCTION("cvt.s32.s8", s32, s32, s32, s32, d == static_cast<int8_t>(a), "cvt.s32.s8 %0, %1;" : "=r"(d) : "r"(a));
UNARY("cvt.rn.bf16.f32", b16, f32, bfloat16Of(a));
UNARY("cvt.rna.tf32.f32", b32, f32, tf32Of(a));
BINARY("cvt.rn.bf16x2.f32", b32, f32, f32, bfloat16Of(a) << 16 | bfloat16Of(b));

}  // namespace
}  // namespace alexnet::test

int main() {
  bool right = true;
  for (const auto check : alexnet::test::checks()) right = check() && right;
  return right ? 0 : 1;
}
