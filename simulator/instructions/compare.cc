// Comparisons and the choices made by them.
#include <cmath>

#include "instructions.h"
#include "lanes.h"
#include "small_floats.h"

namespace alexnet::simulator {
namespace {

struct Equal {
  template <class T>
  static bool apply(T a, T b) {
    return a == b;
  }
};
struct NotEqual {
  template <class T>
  static bool apply(T a, T b) {
    return !(a == b) && a == a && b == b;
  }
};
struct Less {
  template <class T>
  static bool apply(T a, T b) {
    return a < b;
  }
};
struct LessEqual {
  template <class T>
  static bool apply(T a, T b) {
    return a <= b;
  }
};
struct Greater {
  template <class T>
  static bool apply(T a, T b) {
    return a > b;
  }
};
struct GreaterEqual {
  template <class T>
  static bool apply(T a, T b) {
    return a >= b;
  }
};
struct Ordered {
  template <class T>
  static bool apply(T a, T b) {
    return a == a && b == b;
  }
};
// equ, ltu, ...: true where either is no number.
template <class Op>
struct OrUnordered {
  template <class T>
  static bool apply(T a, T b) {
    return Op::template apply<T>(a, b) || a != a || b != b;
  }
};
struct Unordered {
  template <class T>
  static bool apply(T a, T b) {
    return a != a || b != b;
  }
};

struct AsBfloat16 {};
struct AsHalf {};

// One bit a lane.
template <class T, class Op>
uint32_t compare(Warp& warp, const Instruction& i) {
  if constexpr (std::is_same_v<T, AsBfloat16> || std::is_same_v<T, AsHalf>) {
    const auto* a = warp.at<uint32_t>(i.a);
    const auto* b = warp.at<uint32_t>(i.b);
    const auto value = [](uint32_t bits) {
      return std::is_same_v<T, AsHalf> ? fromHalf(bits & 0xffff) : fromBfloat16(bits & 0xffff);
    };
    return collect([=](int lane) { return Op::template apply<float>(value(a[lane]), value(b[lane])); });
  } else {
    const auto* a = warp.at<Slot<T>>(i.a);
    const auto* b = warp.at<Slot<T>>(i.b);
    return collect([=](int lane) { return Op::template apply<T>(get<T>(a[lane]), get<T>(b[lane])); });
  }
}

constexpr uint32_t kNone = 0xffffffffU;

// setp: more[0] the predicate that is combined in or kNone, more[1] the second destination or kNone;
// immediate: 0 and, 1 or, 2 xor; flag: the combined predicate is negated.
template <class T, class Op>
void setPredicate(Warp& warp, const Instruction& i) {
  const uint32_t test = compare<T, Op>(warp, i);
  uint32_t other = kAllLanes;
  if (i.more[0] != kNone) other = i.flag ? ~warp.predicate(i.more[0]) : warp.predicate(i.more[0]);
  const auto combine = [&](uint32_t bits) {
    if (i.more[0] == kNone) return bits;
    return i.immediate == 0 ? bits & other : i.immediate == 1 ? bits | other : bits ^ other;
  };
  warp.setPredicate(i.destination, combine(test));
  if (i.more[1] != kNone) warp.setPredicate(i.more[1], combine(~test));
}

// set: all ones or 1.0 where the comparison holds (immediate), else 0.
template <class T, class Op>
void setValue(Warp& warp, const Instruction& i) {
  const uint32_t test = compare<T, Op>(warp, i);
  const auto yes = static_cast<uint32_t>(i.immediate);
  assign(warp, warp.at<uint32_t>(i.destination), [=](int lane) { return test >> lane & 1 ? yes : 0U; });
}

template <class Op>
Handler handlerOf(ptx::Type type, bool value) {
  using ptx::Type;
  const auto pick = [value](auto tag) -> Handler {
    using T = typename decltype(tag)::type;
    return value ? setValue<T, Op> : setPredicate<T, Op>;
  };
  if (type == Type::f32) return pick(Tag<float>{});
  if (type == Type::f64) return pick(Tag<double>{});
  if (type == Type::bf16) return pick(Tag<AsBfloat16>{});
  if (type == Type::f16) return pick(Tag<AsHalf>{});
  return forInteger(type, pick);
}

Handler handlerFor(const std::string& name, ptx::Type type, bool value) {
  const bool real = ptx::isFloat(type);
  if (name == "eq") return handlerOf<Equal>(type, value);
  if (name == "ne") return handlerOf<NotEqual>(type, value);
  if (name == "lt" || name == "lo") return handlerOf<Less>(type, value);
  if (name == "le" || name == "ls") return handlerOf<LessEqual>(type, value);
  if (name == "gt" || name == "hi") return handlerOf<Greater>(type, value);
  if (name == "ge" || name == "hs") return handlerOf<GreaterEqual>(type, value);
  if (!real) return nullptr;
  if (name == "equ") return handlerOf<OrUnordered<Equal>>(type, value);
  if (name == "neu") return handlerOf<OrUnordered<NotEqual>>(type, value);
  if (name == "ltu") return handlerOf<OrUnordered<Less>>(type, value);
  if (name == "leu") return handlerOf<OrUnordered<LessEqual>>(type, value);
  if (name == "gtu") return handlerOf<OrUnordered<Greater>>(type, value);
  if (name == "geu") return handlerOf<OrUnordered<GreaterEqual>>(type, value);
  if (name == "num") return handlerOf<Ordered>(type, value);
  if (name == "nan") return handlerOf<Unordered>(type, value);
  return nullptr;
}

bool decodeSetPredicate(Decoder& decoder, const ptx::Statement& statement, ptx::Type type, Instruction& instruction) {
  const auto& operands = statement.operands;
  instruction.run = handlerFor(statement.parts[1], type, false);
  if (instruction.run == nullptr) return false;
  instruction.destination = decoder.predicate(operands[0]);
  instruction.a = decoder.source(operands[1], type);
  instruction.b = decoder.source(operands[2], type);
  uint32_t other = kNone, second = kNone;
  if (operands.size() > 3) {
    other = decoder.predicate(operands[3]);
    instruction.flag = operands[3].negated;
    instruction.immediate = statement.has("or") ? 1 : statement.has("xor") ? 2 : 0;
  }
  if (!operands[0].second.empty()) {
    ptx::Operand destination;
    destination.name = operands[0].second;
    second = decoder.predicate(destination);
  }
  instruction.more = decoder.list({other, second});
  return true;
}

template <class T>
void select(Warp& warp, const Instruction& i) {
  const auto* a = warp.at<T>(i.a);
  const auto* b = warp.at<T>(i.b);
  const uint32_t choice = warp.predicate(i.c);
  assign(warp, warp.at<T>(i.destination), [=](int lane) { return choice >> lane & 1 ? a[lane] : b[lane]; });
}

// slct: a where c >= 0, else b; flag: c is fp32.
template <class T>
void selectBySign(Warp& warp, const Instruction& i) {
  const auto* a = warp.at<T>(i.a);
  const auto* b = warp.at<T>(i.b);
  const auto* c = warp.at<int32_t>(i.c);
  const bool real = i.flag;
  assign(warp, warp.at<T>(i.destination), [=](int lane) {
    const bool first = real ? floatOf(static_cast<uint32_t>(c[lane])) >= 0 : c[lane] >= 0;
    return first ? a[lane] : b[lane];
  });
}

bool decodeSelect(Decoder& decoder, const ptx::Statement& statement, ptx::Type type, Instruction& instruction) {
  const auto& operands = statement.operands;
  const bool wide = ptx::bytesOf(type) == 8;
  instruction.destination = decoder.destination(operands[0]);
  instruction.a = decoder.source(operands[1], type);
  instruction.b = decoder.source(operands[2], type);
  if (statement.parts[0] == "selp") {
    instruction.c = decoder.predicate(operands[3]);
    instruction.run = wide ? select<uint64_t> : select<uint32_t>;
    return true;
  }
  const ptx::Type by = statement.types()[1];
  instruction.c = decoder.source(operands[3], by);
  instruction.flag = by == ptx::Type::f32;
  instruction.run = wide ? selectBySign<uint64_t> : selectBySign<uint32_t>;
  return true;
}

// testp: what kind of number a is; immediate: its index in kTests.
constexpr const char* kTests[] = {"finite", "infinite", "number", "notanumber", "normal", "subnormal"};

void testNumber(Warp& warp, const Instruction& i) {
  const auto* a = warp.at<float>(i.a);
  const int64_t test = i.immediate;
  warp.setPredicate(i.destination, collect([=](int lane) {
                      const int kind = std::fpclassify(a[lane]);
                      switch (test) {
                        case 0: return kind != FP_INFINITE && kind != FP_NAN;
                        case 1: return kind == FP_INFINITE;
                        case 2: return kind != FP_NAN;
                        case 3: return kind == FP_NAN;
                        case 4: return kind == FP_NORMAL;
                        default: return kind == FP_SUBNORMAL;
                      }
                    }));
}

bool decodeTest(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  for (int64_t test = 0; test < 6; ++test) {
    if (statement.parts[1] == kTests[test]) instruction.immediate = test;
  }
  instruction.run = testNumber;
  instruction.destination = decoder.predicate(statement.operands[0]);
  instruction.a = decoder.source(statement.operands[1], ptx::Type::f32);
  return true;
}

}  // namespace

bool decodeCompare(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  const std::string& name = statement.parts[0];
  const auto types = statement.types();
  if (types.empty()) return false;
  if (name == "setp") return decodeSetPredicate(decoder, statement, types[0], instruction);
  if (name == "selp" || name == "slct") return decodeSelect(decoder, statement, types[0], instruction);
  if (name == "testp" && types[0] == ptx::Type::f32) return decodeTest(decoder, statement, instruction);
  if (name != "set" || types.size() != 2) return false;
  instruction.run = handlerFor(statement.parts[1], types[1], true);
  if (instruction.run == nullptr || statement.operands.size() > 3) return false;
  decodeOperands(decoder, statement, types[1], instruction);
  instruction.immediate = types[0] == ptx::Type::f32 ? 0x3f800000 : 0xffffffff;
  return true;
}

}  // namespace alexnet::simulator
