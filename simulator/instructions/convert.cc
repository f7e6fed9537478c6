// cvt between all types.
#include <cfenv>
#include <cmath>
#include <limits>

#include "instructions.h"
#include "lanes.h"
#include "small_floats.h"

namespace alexnet::simulator {
namespace {

enum class Rounding { nearest, zero, down, up, away };

double roundToInteger(double value, Rounding rounding) {
  switch (rounding) {
    case Rounding::nearest: return std::nearbyint(value);
    case Rounding::zero: return std::trunc(value);
    case Rounding::down: return std::floor(value);
    case Rounding::up: return std::ceil(value);
    case Rounding::away: return std::round(value);
  }
  return value;
}

// fp32 next to `value` in the wanted direction.
float toFloat(double value, Rounding rounding) {
  const float nearest = static_cast<float>(value);
  if (rounding == Rounding::nearest || nearest == value || nearest != nearest) return nearest;
  const float infinity = std::numeric_limits<float>::infinity();
  const bool up = rounding == Rounding::up || (rounding == Rounding::zero && value < 0);
  if (up) return nearest < value ? std::nextafterf(nearest, infinity) : nearest;
  return nearest > value ? std::nextafterf(nearest, -infinity) : nearest;
}

uint32_t toBfloat16(double value, Rounding rounding) {
  const float single = static_cast<float>(value);
  return rounding == Rounding::zero && single == single ? bitsOf(single) >> 16 : simulator::toBfloat16(single);
}

// Everything about a conversion, packed into Instruction::immediate.
struct Conversion {
  ptx::Type to, from;
  Rounding rounding;
  bool toInteger, saturate, relu, flush, wideSource, wideDestination;
};

Conversion unpacked(int64_t code) {
  return {static_cast<ptx::Type>(code & 31),
          static_cast<ptx::Type>(code >> 5 & 31),
          static_cast<Rounding>(code >> 10 & 7),
          (code >> 13 & 1) != 0,
          (code >> 14 & 1) != 0,
          (code >> 15 & 1) != 0,
          (code >> 16 & 1) != 0,
          (code >> 17 & 1) != 0,
          (code >> 18 & 1) != 0};
}

int64_t packed(const Conversion& c) {
  return static_cast<int64_t>(c.to) | static_cast<int64_t>(c.from) << 5 | static_cast<int64_t>(c.rounding) << 10 |
         int64_t{c.toInteger} << 13 | int64_t{c.saturate} << 14 | int64_t{c.relu} << 15 | int64_t{c.flush} << 16 |
         int64_t{c.wideSource} << 17 | int64_t{c.wideDestination} << 18;
}

double realValue(uint64_t bits, ptx::Type type) {
  switch (type) {
    case ptx::Type::f16: return fromHalf(static_cast<uint32_t>(bits));
    case ptx::Type::bf16: return fromBfloat16(static_cast<uint32_t>(bits));
    case ptx::Type::f64: {
      double value;
      std::memcpy(&value, &bits, 8);
      return value;
    }
    default: return floatOf(static_cast<uint32_t>(bits));
  }
}

// Sign- or zero-extended from the type's own bits.
int64_t integerValue(uint64_t bits, ptx::Type type) {
  const int unused = 64 - 8 * ptx::bytesOf(type);
  if (ptx::isSigned(type)) return static_cast<int64_t>(bits << unused) >> unused;
  return static_cast<int64_t>(bits << unused >> unused);
}

uint64_t realBits(double value, const Conversion& c) {
  if (c.relu && !(value > 0)) value = value != value ? value : 0;
  if (c.saturate) value = value > 0 ? (value < 1 ? value : 1) : 0;
  switch (c.to) {
    case ptx::Type::f16: return toHalf(value);
    case ptx::Type::bf16: return toBfloat16(value, c.rounding);
    case ptx::Type::tf32: {
      const uint32_t bits = bitsOf(static_cast<float>(value));
      if (value != value) return 0x7fffffff;
      return (bits + (c.rounding == Rounding::nearest ? 0xfff + (bits >> 13 & 1) : 0x1000)) & 0xffffe000U;
    }
    case ptx::Type::f64: {
      uint64_t bits;
      std::memcpy(&bits, &value, 8);
      return bits;
    }
    default: {
      float single = toFloat(value, c.rounding);
      if (c.flush && std::fabs(single) < std::numeric_limits<float>::min()) single = std::copysign(0.0F, single);
      return bitsOf(single);
    }
  }
}

// Out of range goes to the nearest end of the range, NaN to 0, or to the highest bit where either side has 64 bits.
uint64_t integerFromReal(double value, const Conversion& c) {
  const int bits = 8 * ptx::bytesOf(c.to);
  const bool isSigned = ptx::isSigned(c.to);
  if (value != value) return bits == 64 || c.from == ptx::Type::f64 ? 1ULL << (bits - 1) : 0;
  const double whole = roundToInteger(value, c.rounding);
  const double low = isSigned ? -std::ldexp(1.0, bits - 1) : 0, high = std::ldexp(1.0, isSigned ? bits - 1 : bits);
  if (whole <= low) return isSigned ? static_cast<uint64_t>(-1) << (bits - 1) : 0;
  if (whole >= high) return ~0ULL >> (64 - bits + (isSigned ? 1 : 0));
  return isSigned ? static_cast<uint64_t>(static_cast<int64_t>(whole)) : static_cast<uint64_t>(whole);
}

uint64_t integerFromInteger(uint64_t bits, const Conversion& c) {
  const int64_t value = integerValue(bits, c.from);
  if (!c.saturate) return static_cast<uint64_t>(value);
  const int width = 8 * ptx::bytesOf(c.to);
  const bool fromSigned = ptx::isSigned(c.from);
  const __int128 wide = fromSigned ? static_cast<__int128>(value) : static_cast<__int128>(static_cast<uint64_t>(value));
  const __int128 one = 1;
  const __int128 low = ptx::isSigned(c.to) ? -(one << (width - 1)) : 0;
  const __int128 high = (one << (ptx::isSigned(c.to) ? width - 1 : width)) - 1;
  return static_cast<uint64_t>(wide < low ? low : wide > high ? high : wide);
}

uint64_t realFromInteger(uint64_t bits, const Conversion& c) {
  const int64_t value = integerValue(bits, c.from);
  const bool negative = ptx::isSigned(c.from) && value < 0;
  // 64-bit integers do not fit a double: long double holds them, and is rounded once.
  const long double exact =
      negative ? static_cast<long double>(value) : static_cast<long double>(static_cast<uint64_t>(value));
  if (c.to == ptx::Type::f32 && c.rounding == Rounding::nearest) return bitsOf(static_cast<float>(exact));
  return realBits(static_cast<double>(exact), c);
}

void convert(Warp& warp, const Instruction& i) {
  const Conversion c = unpacked(i.immediate);
  const bool fromReal = ptx::isFloat(c.from), toReal = ptx::isFloat(c.to);
  forEachLane(warp.mask.bits, [&](int lane) {
    const uint64_t bits = c.wideSource ? warp.at<uint64_t>(i.a)[lane] : warp.at<uint32_t>(i.a)[lane];
    uint64_t result;
    if (fromReal && toReal) {
      const double value = realValue(bits, c.from);
      result = realBits(c.toInteger ? roundToInteger(value, c.rounding) : value, c);
    } else if (fromReal) {
      result = integerFromReal(realValue(bits, c.from), c);
    } else {
      result = toReal ? realFromInteger(bits, c) : integerFromInteger(bits, c);
    }
    if (c.wideDestination) {
      warp.at<uint64_t>(i.destination)[lane] = result;
    } else {
      const int bytes = ptx::bytesOf(c.to);  // a signed result fills its register, an unsigned one does not
      warp.at<uint32_t>(i.destination)[lane] = bytes >= 4 || ptx::isSigned(c.to)
                                                   ? static_cast<uint32_t>(result)
                                                   : static_cast<uint32_t>(result) & ((1U << 8 * bytes) - 1);
    }
  });
}

// Integers of 32 and 64 bits, the conversions of indices, in a loop that the compiler vectorizes.
template <class From, class To>
void widen(Warp& warp, const Instruction& i) {
  const auto* a = warp.at<From>(i.a);
  assign(warp, warp.at<To>(i.destination), [=](int lane) { return static_cast<To>(a[lane]); });
}

// cvt.rn.bf16x2.f32 d, a, b: a in the upper half, b in the lower.
void convertPair(Warp& warp, const Instruction& i) {
  const Conversion c = unpacked(i.immediate);
  const auto* a = warp.at<float>(i.a);
  const auto* b = warp.at<float>(i.b);
  forEachLane(warp.mask.bits, [&](int lane) {
    warp.at<uint32_t>(i.destination)[lane] = static_cast<uint32_t>(realBits(a[lane], c) << 16 | realBits(b[lane], c));
  });
}

Conversion conversionOf(const ptx::Statement& statement, ptx::Type to, ptx::Type from) {
  Conversion c{};
  c.to = to;
  c.from = from;
  c.rounding = Rounding::nearest;
  for (const std::string& part : statement.parts) {
    if (part == "rz" || part == "rzi") c.rounding = Rounding::zero;
    if (part == "rm" || part == "rmi") c.rounding = Rounding::down;
    if (part == "rp" || part == "rpi") c.rounding = Rounding::up;
    if (part == "rna") c.rounding = Rounding::away;
    if (part == "rni" || part == "rzi" || part == "rmi" || part == "rpi") c.toInteger = true;
  }
  c.saturate = statement.has("sat");
  c.relu = statement.has("relu");
  c.flush = statement.has("ftz");
  return c;
}

Handler quick(const Conversion& c) {
  using ptx::Type;
  const int from = ptx::bytesOf(c.from), to = ptx::bytesOf(c.to);
  if (c.saturate || ptx::isFloat(c.from) || ptx::isFloat(c.to) || from < 4 || to < 4) return nullptr;
  if (from == 4 && to == 8) return ptx::isSigned(c.from) ? widen<int32_t, int64_t> : widen<uint32_t, uint64_t>;
  return nullptr;
}

}  // namespace

bool decodeConvert(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  if (statement.parts[0] != "cvt") return false;
  const auto types = statement.types();
  decoder.require(types.size() == 2, "does not name two types");
  const bool pair = types[0] == ptx::Type::bf16x2 || types[0] == ptx::Type::f16x2;
  const ptx::Type to = types[0] == ptx::Type::bf16x2  ? ptx::Type::bf16
                       : types[0] == ptx::Type::f16x2 ? ptx::Type::f16
                                                      : types[0];
  if (to == ptx::Type::bf16 || to == ptx::Type::tf32) decoder.requireCapability(80);
  if (types[1] == ptx::Type::bf16 && ptx::isFloat(to)) decoder.requireCapability(90);
  Conversion c = conversionOf(statement, to, types[1]);
  c.wideSource = decoder.width(statement.operands[1], types[1]) == 8;
  c.wideDestination = decoder.width(statement.operands[0]) == 8;
  decodeOperands(decoder, statement, types[1], instruction);
  instruction.immediate = packed(c);
  instruction.run = pair ? convertPair : convert;
  if (c.wideDestination && !c.wideSource && quick(c) != nullptr) instruction.run = quick(c);
  return true;
}

}  // namespace alexnet::simulator
