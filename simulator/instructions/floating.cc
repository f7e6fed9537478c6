// Floating-point arithmetic in fp32 and fp64, rounded to nearest, and the approximate functions, which are computed in
// double precision and rounded once. Compiled without contraction: what is fused here is fused in the PTX.
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

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
// Of the approximate functions: how far from `exact` the PTX manual lets them be.
struct SquareRoot {
  static double error(double exact) { return exact * 0x1p-23; }
  template <class T>
  static T apply(T a) {
    return std::sqrt(a);
  }
};
struct Reciprocal {
  static double error(double exact) { return std::fabs(exact) * 0x1p-23; }
  template <class T>
  static T apply(T a) {
    return 1 / a;
  }
};
struct ReciprocalRoot {
  static double error(double exact) { return exact * 0x1.125p-23; }
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
ALEXNET_IN_DOUBLE(BinaryPower, exp2);
ALEXNET_IN_DOUBLE(BinaryLogarithm, log2);
ALEXNET_IN_DOUBLE(Sine, sin);
ALEXNET_IN_DOUBLE(Cosine, cos);
ALEXNET_IN_DOUBLE(HyperbolicTangent, tanh);
#undef ALEXNET_IN_DOUBLE
struct Exponential2 : BinaryPower {
  static double error(double exact) { return exact * 0x1p-22; }
};
struct Logarithm2 : BinaryLogarithm {
  static double error(double exact) { return std::fmax(1, std::fabs(exact)) * 0x1p-22; }
};

// Of ALEXNET_SIMULATED_APPROXIMATE: 1 for 'up', -1 for 'down', otherwise 0.
double skew() {
  static const double way = [] {
    const char* setting = std::getenv("ALEXNET_SIMULATED_APPROXIMATE");
    const std::string name = setting == nullptr ? "" : setting;
    return name == "up" ? 1.0 : name == "down" ? -1.0 : 0.0;
  }();
  return way;
}

// An approximate function: computed in double precision, and off by as much as the manual allows where that is asked for.
// What the manual's tables say, for zeros, infinities and NaN, is exact.
template <class Op>
struct Approximate {
  template <class T>
  static T apply(T a) {
    const double exact = Op::template apply<double>(static_cast<double>(a));
    if (skew() == 0 || a == 0 || exact == 0 || !std::isfinite(exact)) return Op::template apply<T>(a);
    const double error = Op::error(exact);
    const T result = static_cast<T>(exact + skew() * error);
    return std::fabs(result - exact) > error ? std::nextafter(result, static_cast<T>(exact)) : result;
  }
};

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

template <class Op>
Handler functionOf(const ptx::Statement& statement, ptx::Type type) {
  if (type == ptx::Type::f32 && statement.has("approx")) return unaryOf<Approximate<Op>>(statement, type);
  return unaryOf<Op>(statement, type);
}

Handler function(const ptx::Statement& statement, ptx::Type type) {
  const std::string& name = statement.parts[0];
  if (name == "sqrt") return functionOf<SquareRoot>(statement, type);
  if (name == "rcp") return functionOf<Reciprocal>(statement, type);
  if (name == "rsqrt") return functionOf<ReciprocalRoot>(statement, type);
  if (name == "ex2") return functionOf<Exponential2>(statement, type);
  if (name == "lg2") return functionOf<Logarithm2>(statement, type);
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
