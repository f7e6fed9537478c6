// Integer arithmetic.
#include <limits>

#include "instructions.h"
#include "lanes.h"

namespace alexnet::simulator {
namespace {

template <class T>
using Unsigned = std::make_unsigned_t<T>;

// The integer type of twice the width, with the same sign.
template <class T>
struct Double;
template <>
struct Double<int16_t> {
  using type = int32_t;
};
template <>
struct Double<uint16_t> {
  using type = uint32_t;
};
template <>
struct Double<int32_t> {
  using type = int64_t;
};
template <>
struct Double<uint32_t> {
  using type = uint64_t;
};
template <>
struct Double<int64_t> {
  using type = __int128;
};
template <>
struct Double<uint64_t> {
  using type = unsigned __int128;
};
template <class T>
using Wide = typename Double<T>::type;

// Overflow wraps, so sums and products are formed without a sign.
struct Add {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(static_cast<Unsigned<T>>(a) + static_cast<Unsigned<T>>(b));
  }
};
struct Subtract {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(static_cast<Unsigned<T>>(a) - static_cast<Unsigned<T>>(b));
  }
};
struct MultiplyLow {
  template <class T>
  static T apply(T a, T b) {
    if constexpr (sizeof(T) < 4)
      return static_cast<T>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
    else
      return static_cast<T>(static_cast<Unsigned<T>>(a) * static_cast<Unsigned<T>>(b));
  }
};
struct MultiplyHigh {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(static_cast<Wide<T>>(a) * static_cast<Wide<T>>(b) >> 8 * sizeof(T));
  }
};
struct MultiplyWide {
  template <class T>
  static auto apply(T a, T b) {
    return static_cast<Wide<T>>(a) * static_cast<Wide<T>>(b);
  }
};
// By zero the hardware gives all ones, and the dividend as the remainder.
struct Divide {
  template <class T>
  static T apply(T a, T b) {
    if (b == 0) return static_cast<T>(~T{0});
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) return Subtract::apply<T>(0, a);
    return static_cast<T>(a / b);
  }
};
struct Remainder {
  template <class T>
  static T apply(T a, T b) {
    if (b == 0) return a;
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) return 0;
    return static_cast<T>(a % b);
  }
};
struct Minimum {
  template <class T>
  static T apply(T a, T b) {
    return a < b ? a : b;
  }
};
struct Maximum {
  template <class T>
  static T apply(T a, T b) {
    return a > b ? a : b;
  }
};
struct Negate {
  template <class T>
  static T apply(T a) {
    return Subtract::apply<T>(0, a);
  }
};
struct Absolute {
  template <class T>
  static T apply(T a) {
    return a < 0 ? Subtract::apply<T>(0, a) : a;
  }
};
struct AbsoluteDifference {
  template <class T>
  static T apply(T a, T b, T c) {
    return Add::apply<T>(c, a < b ? Subtract::apply<T>(b, a) : Subtract::apply<T>(a, b));
  }
};
template <class Product>
struct MultiplyAdd {
  template <class T>
  static T apply(T a, T b, T c) {
    return Add::apply<T>(Product::template apply<T>(a, b), c);
  }
};

template <class T>
void multiplyAddWide(Warp& warp, const Instruction& i) {
  const auto* a = warp.at<Slot<T>>(i.a);
  const auto* b = warp.at<Slot<T>>(i.b);
  const auto* c = warp.at<Wide<T>>(i.c);
  assign(warp, warp.at<Wide<T>>(i.destination), [=](int lane) {
    return Add::apply<Wide<T>>(MultiplyWide::apply<T>(get<T>(a[lane]), get<T>(b[lane])), c[lane]);
  });
}

template <class Op>
Handler binaryOf(ptx::Type type) {
  return forInteger(type, [](auto tag) -> Handler { return binary<typename decltype(tag)::type, Op>; });
}

template <class Op>
Handler ternaryOf(ptx::Type type) {
  return forInteger(type, [](auto tag) -> Handler { return ternary<typename decltype(tag)::type, Op>; });
}

template <class Op>
Handler unaryOf(ptx::Type type) {
  return forInteger(type, [](auto tag) -> Handler { return unary<typename decltype(tag)::type, Op>; });
}

Handler multiplyWideOf(ptx::Type type) {
  return forInteger(type, [](auto tag) -> Handler {
    using T = typename decltype(tag)::type;
    if constexpr (sizeof(T) == 8)
      return nullptr;
    else
      return binary<T, MultiplyWide, Wide<T>>;
  });
}

Handler multiplyAddWideOf(ptx::Type type) {
  return forInteger(type, [](auto tag) -> Handler {
    using T = typename decltype(tag)::type;
    if constexpr (sizeof(T) == 8)
      return nullptr;
    else
      return multiplyAddWide<T>;
  });
}

Handler handlerFor(const ptx::Statement& statement, ptx::Type type) {
  const std::string& name = statement.parts[0];
  const bool high = statement.has("hi"), wide = statement.has("wide");
  if (name == "add") return binaryOf<Add>(type);
  if (name == "sub") return binaryOf<Subtract>(type);
  if (name == "mul")
    return wide ? multiplyWideOf(type) : high ? binaryOf<MultiplyHigh>(type) : binaryOf<MultiplyLow>(type);
  if (name == "mad" && wide) return multiplyAddWideOf(type);
  if (name == "mad" && high) return ternaryOf<MultiplyAdd<MultiplyHigh>>(type);
  if (name == "mad") return ternaryOf<MultiplyAdd<MultiplyLow>>(type);
  if (name == "div") return binaryOf<Divide>(type);
  if (name == "rem") return binaryOf<Remainder>(type);
  if (name == "min") return binaryOf<Minimum>(type);
  if (name == "max") return binaryOf<Maximum>(type);
  if (name == "neg") return unaryOf<Negate>(type);
  if (name == "abs") return unaryOf<Absolute>(type);
  if (name == "sad") return ternaryOf<AbsoluteDifference>(type);
  return nullptr;
}

}  // namespace

bool decodeInteger(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  const auto types = statement.types();
  if (types.size() != 1 || ptx::isFloat(types[0]) || statement.has("cc") || statement.has("sat")) return false;
  instruction.run = handlerFor(statement, types[0]);
  if (instruction.run == nullptr) return false;
  decodeOperands(decoder, statement, types[0], instruction);
  if (statement.parts[0] == "mad" && statement.has("wide")) {  // the third source is as wide as the result
    instruction.c =
        decoder.source(statement.operands[3], ptx::bytesOf(types[0]) == 4 ? ptx::Type::u64 : ptx::Type::u32);
  }
  return true;
}

}  // namespace alexnet::simulator
