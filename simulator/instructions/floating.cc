// Floating-point arithmetic in fp32 and fp64, rounded to nearest, and the approximate functions, which are computed in
// double precision and rounded once. Compiled without contraction: what is fused here is fused in the PTX.
#include <cmath>
#include <limits>

#include "instructions.h"
#include "lanes.h"

namespace alexnet::simulator {
namespace {

struct Add {
  template <class T>
  static T apply(T a, T b) {
    return a + b;
  }
};
struct Subtract {
  template <class T>
  static T apply(T a, T b) {
    return a - b;
  }
};
struct Multiply {
  template <class T>
  static T apply(T a, T b) {
    return a * b;
  }
};
struct Divide {
  template <class T>
  static T apply(T a, T b) {
    return a / b;
  }
};
struct FusedMultiplyAdd {
  template <class T>
  static T apply(T a, T b, T c) {
    if constexpr (sizeof(T) == 4)
      return __builtin_fmaf(a, b, c);
    else
      return __builtin_fma(a, b, c);
  }
};
// Of a number and a NaN the number; -0 is less than +0.
struct Minimum {
  template <class T>
  static T apply(T a, T b) {
    const T lower = a < b || (a == b && __builtin_signbit(a)) ? a : b;
    return b != b ? a : lower;
  }
};
struct Maximum {
  template <class T>
  static T apply(T a, T b) {
    const T upper = a > b || (a == b && __builtin_signbit(b)) ? a : b;
    return b != b ? a : upper;
  }
};
template <class Op>
struct WithNan {
  template <class T>
  static T apply(T a, T b) {
    return a != a ? a : b != b ? b : Op::template apply<T>(a, b);
  }
};
struct Negate {
  template <class T>
  static T apply(T a) {
    return -a;
  }
};
struct Absolute {
  template <class T>
  static T apply(T a) {
    return __builtin_fabs(a);
  }
};
struct SquareRoot {
  template <class T>
  static T apply(T a) {
    return std::sqrt(a);
  }
};
struct Reciprocal {
  template <class T>
  static T apply(T a) {
    return 1 / a;
  }
};
struct ReciprocalRoot {
  template <class T>
  static T apply(T a) {
    return static_cast<T>(1 / std::sqrt(static_cast<double>(a)));
  }
};
struct CopySign {  // the sign of a on b
  template <class T>
  static T apply(T a, T b) {
    return std::copysign(b, a);
  }
};
#define ALEXNET_IN_DOUBLE(Name, function)                           \
  struct Name {                                                     \
    template <class T>                                              \
    static T apply(T a) {                                           \
      return static_cast<T>(std::function(static_cast<double>(a))); \
    }                                                               \
  }
ALEXNET_IN_DOUBLE(Exponential2, exp2);
ALEXNET_IN_DOUBLE(Logarithm2, log2);
ALEXNET_IN_DOUBLE(Sine, sin);
ALEXNET_IN_DOUBLE(Cosine, cos);
ALEXNET_IN_DOUBLE(HyperbolicTangent, tanh);
#undef ALEXNET_IN_DOUBLE

template <class T>
T flushed(T value) {
  return std::fabs(value) < std::numeric_limits<T>::min() ? std::copysign(T{0}, value) : value;
}

template <class T>
T saturated(T value) {
  return value > 0 ? (value < 1 ? value : T{1}) : T{0};  // NaN becomes 0
}

// .ftz: subnormal operands and results are zeros. .sat: the result is clamped to [0, 1].
template <class Op, bool kFlush, bool kSaturate>
struct Modified {
  template <class T, class... Values>
  static T apply(Values... values) {
    T result = Op::template apply<T>(kFlush ? flushed(values) : values...);
    if (kFlush) result = flushed(result);
    return kSaturate ? saturated(result) : result;
  }
};

template <class Op, class Make>
Handler modified(const ptx::Statement& statement, Make make) {
  if (statement.has("ftz")) {
    return statement.has("sat") ? make(Modified<Op, true, true>{}) : make(Modified<Op, true, false>{});
  }
  return statement.has("sat") ? make(Modified<Op, false, true>{}) : make(Modified<Op, false, false>{});
}

template <class Op>
Handler unaryOf(const ptx::Statement& statement, ptx::Type type) {
  if (type == ptx::Type::f64) return unary<double, Op>;
  return modified<Op>(statement, [](auto op) -> Handler { return unary<float, decltype(op)>; });
}

template <class Op>
Handler binaryOf(const ptx::Statement& statement, ptx::Type type) {
  if (type == ptx::Type::f64) return binary<double, Op>;
  return modified<Op>(statement, [](auto op) -> Handler { return binary<float, decltype(op)>; });
}

template <class Op>
Handler ternaryOf(const ptx::Statement& statement, ptx::Type type) {
  if (type == ptx::Type::f64) return ternary<double, Op>;
  return modified<Op>(statement, [](auto op) -> Handler { return ternary<float, decltype(op)>; });
}

Handler arithmetic(const ptx::Statement& statement, ptx::Type type) {
  const std::string& name = statement.parts[0];
  if (name == "add") return binaryOf<Add>(statement, type);
  if (name == "sub") return binaryOf<Subtract>(statement, type);
  if (name == "mul") return binaryOf<Multiply>(statement, type);
  if (name == "div") return binaryOf<Divide>(statement, type);
  if (name == "fma" || name == "mad") return ternaryOf<FusedMultiplyAdd>(statement, type);
  if (name == "neg") return unaryOf<Negate>(statement, type);
  if (name == "abs") return unaryOf<Absolute>(statement, type);
  if (name == "copysign") return binaryOf<CopySign>(statement, type);
  if (name == "min") {
    return statement.has("NaN") ? binaryOf<WithNan<Minimum>>(statement, type) : binaryOf<Minimum>(statement, type);
  }
  if (name == "max") {
    return statement.has("NaN") ? binaryOf<WithNan<Maximum>>(statement, type) : binaryOf<Maximum>(statement, type);
  }
  return nullptr;
}

Handler function(const ptx::Statement& statement, ptx::Type type) {
  const std::string& name = statement.parts[0];
  if (name == "sqrt") return unaryOf<SquareRoot>(statement, type);
  if (name == "rcp") return unaryOf<Reciprocal>(statement, type);
  if (name == "rsqrt") return unaryOf<ReciprocalRoot>(statement, type);
  if (name == "ex2") return unaryOf<Exponential2>(statement, type);
  if (name == "lg2") return unaryOf<Logarithm2>(statement, type);
  if (name == "sin") return unaryOf<Sine>(statement, type);
  if (name == "cos") return unaryOf<Cosine>(statement, type);
  if (name == "tanh") return unaryOf<HyperbolicTangent>(statement, type);
  return nullptr;
}

}  // namespace

bool decodeFloating(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  const auto types = statement.types();
  if (types.size() != 1 || (types[0] != ptx::Type::f32 && types[0] != ptx::Type::f64)) return false;
  instruction.run = arithmetic(statement, types[0]);
  if (instruction.run == nullptr) instruction.run = function(statement, types[0]);
  if (instruction.run == nullptr || statement.has("xorsign")) return false;
  decodeOperands(decoder, statement, types[0], instruction);
  return true;
}

}  // namespace alexnet::simulator
