// Logic, shifts, and the instructions that pick bits and bytes.
#include "instructions.h"
#include "lanes.h"

namespace alexnet::simulator {
namespace {

struct And {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(a & b);
  }
};
struct Or {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(a | b);
  }
};
struct Xor {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(a ^ b);
  }
};
struct Not {
  template <class T>
  static T apply(T a) {
    return static_cast<T>(~a);
  }
};
struct IsZero {
  template <class T>
  static T apply(T a) {
    return a == 0 ? 1 : 0;
  }
};
struct Population {
  template <class T>
  static uint32_t apply(T a) {
    return static_cast<uint32_t>(sizeof(T) == 8 ? __builtin_popcountll(a)
                                                : __builtin_popcount(static_cast<uint32_t>(a)));
  }
};
struct LeadingZeros {
  template <class T>
  static uint32_t apply(T a) {
    if (a == 0) return 8 * sizeof(T);
    return static_cast<uint32_t>(sizeof(T) == 8 ? __builtin_clzll(a) : __builtin_clz(static_cast<uint32_t>(a)));
  }
};
struct HighestBit {  // of signed values, the highest that differs from the sign
  template <class T>
  static uint32_t apply(T a) {
    using U = std::make_unsigned_t<T>;
    const U value = static_cast<U>(std::is_signed_v<T> && a < 0 ? ~a : a);
    return value == 0 ? 0xffffffffU : static_cast<uint32_t>(8 * sizeof(T)) - 1 - LeadingZeros::apply<U>(value);
  }
};
struct Reverse {
  template <class T>
  static T apply(T a) {
    T result = 0;
    for (size_t bit = 0; bit < 8 * sizeof(T); ++bit) result = static_cast<T>(result << 1 | (a >> bit & 1));
    return result;
  }
};

// Shift counts are 32 bits, whatever is shifted; from the width on nothing, or only the sign, is left.
template <class T>
void shiftLeft(Warp& warp, const Instruction& i) {
  const auto* a = warp.at<Slot<T>>(i.a);
  const auto* b = warp.at<uint32_t>(i.b);
  assign(warp, warp.at<Slot<T>>(i.destination), [=](int lane) {
    return b[lane] >= 8 * sizeof(T) ? Slot<T>{0}
                                    : put<T>(static_cast<T>(get<T>(a[lane]) << (b[lane] & (8 * sizeof(T) - 1))));
  });
}

template <class T>
void shiftRight(Warp& warp, const Instruction& i) {
  const auto* a = warp.at<Slot<T>>(i.a);
  const auto* b = warp.at<uint32_t>(i.b);
  assign(warp, warp.at<Slot<T>>(i.destination), [=](int lane) {
    const uint32_t limit = 8 * sizeof(T) - 1;
    const T value = get<T>(a[lane]);
    if (b[lane] > limit && !std::is_signed_v<T>) return Slot<T>{0};
    return put<T>(static_cast<T>(value >> (b[lane] > limit ? limit : b[lane])));
  });
}

// shf: 32 bits out of the 64 of b:a; flag: the count is clamped to 32 instead of wrapped.
template <bool kLeft>
void funnelShift(Warp& warp, const Instruction& i) {
  const auto* low = warp.at<uint32_t>(i.a);
  const auto* high = warp.at<uint32_t>(i.b);
  const auto* count = warp.at<uint32_t>(i.c);
  const bool clamp = i.flag;
  assign(warp, warp.at<uint32_t>(i.destination), [=](int lane) {
    const uint64_t both = static_cast<uint64_t>(high[lane]) << 32 | low[lane];
    const uint32_t by = clamp ? (count[lane] < 32 ? count[lane] : 32) : count[lane] & 31;
    return static_cast<uint32_t>(kLeft ? both << by >> 32 : both >> by);
  });
}

template <class T>
void extractField(Warp& warp, const Instruction& i) {
  const auto* a = warp.at<T>(i.a);
  const auto* b = warp.at<uint32_t>(i.b);
  const auto* c = warp.at<uint32_t>(i.c);
  using U = std::make_unsigned_t<T>;
  constexpr uint32_t kBits = 8 * sizeof(T);
  assign(warp, warp.at<T>(i.destination), [=](int lane) {
    const uint32_t position = b[lane] & 0xff, length = c[lane] & 0xff;
    if (length == 0) return T{0};
    const U value = static_cast<U>(a[lane]);
    const uint32_t last = position + length - 1 < kBits - 1 ? position + length - 1 : kBits - 1;
    const bool sign = std::is_signed_v<T> && (value >> last & 1);
    U result = position < kBits ? value >> position : 0;
    const U keep = length >= kBits ? ~U{0} : (U{1} << length) - 1;
    const uint32_t present = position < kBits ? kBits - position : 0;
    const U known = present >= kBits ? ~U{0} : (U{1} << present) - 1;
    result &= keep & known;
    return static_cast<T>(sign ? result | ~(keep & known) : result);
  });
}

template <class T>
void insertField(Warp& warp, const Instruction& i) {
  const auto* a = warp.at<T>(i.a);
  const auto* b = warp.at<T>(i.b);
  const auto* c = warp.at<uint32_t>(i.c);
  const auto* d = warp.at<uint32_t>(i.more[0]);
  constexpr uint32_t kBits = 8 * sizeof(T);
  assign(warp, warp.at<T>(i.destination), [=](int lane) {
    const uint32_t position = c[lane] & 0xff, length = d[lane] & 0xff;
    if (length == 0 || position >= kBits) return b[lane];
    const T keep = length >= kBits ? ~T{0} : (T{1} << length) - 1;
    return static_cast<T>((b[lane] & ~(keep << position)) | (a[lane] & keep) << position);
  });
}

// prmt without a mode: each nibble of c picks one of 8 bytes, its highest bit the byte's sign instead.
void permuteBytes(Warp& warp, const Instruction& i) {
  const auto* a = warp.at<uint32_t>(i.a);
  const auto* b = warp.at<uint32_t>(i.b);
  const auto* c = warp.at<uint32_t>(i.c);
  assign(warp, warp.at<uint32_t>(i.destination), [=](int lane) {
    const uint64_t both = static_cast<uint64_t>(b[lane]) << 32 | a[lane];
    uint32_t result = 0;
    for (uint32_t byte = 0; byte < 4; ++byte) {
      const uint32_t select = c[lane] >> 4 * byte & 15;
      uint32_t value = static_cast<uint32_t>(both >> 8 * (select & 7)) & 0xff;
      if (select & 8) value = value & 0x80 ? 0xff : 0;
      result |= value << 8 * byte;
    }
    return result;
  });
}

// Any function of three bits, by its table.
void logic3(Warp& warp, const Instruction& i) {
  const auto* a = warp.at<uint32_t>(i.a);
  const auto* b = warp.at<uint32_t>(i.b);
  const auto* c = warp.at<uint32_t>(i.c);
  const auto table = static_cast<uint32_t>(i.immediate);
  assign(warp, warp.at<uint32_t>(i.destination), [=](int lane) {
    uint32_t result = 0;
    for (uint32_t row = 0; row < 8; ++row) {
      if (!(table >> row & 1)) continue;
      result |= (row & 4 ? a[lane] : ~a[lane]) & (row & 2 ? b[lane] : ~b[lane]) & (row & 1 ? c[lane] : ~c[lane]);
    }
    return result;
  });
}

// Sum of products of bytes and a word; immediate: bit 0 a's bytes are signed, bit 1 b's.
void dot4(Warp& warp, const Instruction& i) {
  const auto* a = warp.at<uint32_t>(i.a);
  const auto* b = warp.at<uint32_t>(i.b);
  const auto* c = warp.at<uint32_t>(i.c);
  assign(warp, warp.at<uint32_t>(i.destination), [&, a, b, c](int lane) {
    uint32_t sum = c[lane];
    for (int byte = 0; byte < 4; ++byte) {
      const auto x = static_cast<uint8_t>(a[lane] >> 8 * byte), y = static_cast<uint8_t>(b[lane] >> 8 * byte);
      const int32_t left = i.immediate & 1 ? static_cast<int8_t>(x) : x,
                    right = i.immediate & 2 ? static_cast<int8_t>(y) : y;
      sum += static_cast<uint32_t>(left * right);
    }
    return sum;
  });
}

template <class Op>
void predicateLogic(Warp& warp, const Instruction& i) {
  warp.setPredicate(i.destination, Op::template apply<uint32_t>(warp.predicate(i.a), warp.predicate(i.b)));
}

void predicateNot(Warp& warp, const Instruction& i) { warp.setPredicate(i.destination, ~warp.predicate(i.a)); }

template <class Op>
bool decodeLogic(Decoder& decoder, const ptx::Statement& statement, ptx::Type type, Instruction& instruction) {
  if (type == ptx::Type::pred) {
    instruction.run = predicateLogic<Op>;
    instruction.destination = decoder.predicate(statement.operands[0]);
    instruction.a = decoder.predicate(statement.operands[1]);
    instruction.b = decoder.predicate(statement.operands[2]);
    return true;
  }
  instruction.run = forInteger(type, [](auto tag) -> Handler { return binary<typename decltype(tag)::type, Op>; });
  if (instruction.run != nullptr) decodeOperands(decoder, statement, type, instruction);
  return instruction.run != nullptr;
}

template <class Op, class R = void>
Handler unaryOf(ptx::Type type) {
  return forInteger(type, [](auto tag) -> Handler {
    using T = typename decltype(tag)::type;
    return unary<T, Op, std::conditional_t<std::is_void_v<R>, T, R>>;
  });
}

bool decodeNot(Decoder& decoder, const ptx::Statement& statement, ptx::Type type, Instruction& instruction) {
  if (type != ptx::Type::pred) {
    instruction.run = unaryOf<Not>(type);
    decodeOperands(decoder, statement, type, instruction);
    return true;
  }
  instruction.run = predicateNot;
  instruction.destination = decoder.predicate(statement.operands[0]);
  instruction.a = decoder.predicate(statement.operands[1]);
  return true;
}

bool decodeShift(Decoder& decoder, const ptx::Statement& statement, ptx::Type type, Instruction& instruction) {
  const bool left = statement.parts[0] == "shl";
  instruction.run = forInteger(type, [left](auto tag) -> Handler {
    using T = typename decltype(tag)::type;
    return left ? shiftLeft<T> : shiftRight<T>;
  });
  decodeOperands(decoder, statement, type, instruction);
  instruction.b = decoder.source(statement.operands[2], ptx::Type::u32);
  return instruction.run != nullptr;
}

bool decodeField(Decoder& decoder, const ptx::Statement& statement, ptx::Type type, Instruction& instruction) {
  const auto& operands = statement.operands;
  const bool wide = ptx::bytesOf(type) == 8;
  instruction.destination = decoder.destination(operands[0]);
  instruction.a = decoder.source(operands[1], type);
  if (statement.parts[0] == "bfi") {
    instruction.b = decoder.source(operands[2], type);
    instruction.c = decoder.source(operands[3], ptx::Type::u32);
    instruction.more = decoder.list({decoder.source(operands[4], ptx::Type::u32)});
    instruction.run = wide ? insertField<uint64_t> : insertField<uint32_t>;
    return true;
  }
  instruction.b = decoder.source(operands[2], ptx::Type::u32);
  instruction.c = decoder.source(operands[3], ptx::Type::u32);
  if (ptx::isSigned(type))
    instruction.run = wide ? extractField<int64_t> : extractField<int32_t>;
  else
    instruction.run = wide ? extractField<uint64_t> : extractField<uint32_t>;
  return true;
}

bool decodeCount(Decoder& decoder, const ptx::Statement& statement, ptx::Type type, Instruction& instruction) {
  const std::string& name = statement.parts[0];
  if (name == "popc") instruction.run = unaryOf<Population, uint32_t>(type);
  if (name == "clz") instruction.run = unaryOf<LeadingZeros, uint32_t>(type);
  if (name == "bfind") instruction.run = statement.has("shiftamt") ? nullptr : unaryOf<HighestBit, uint32_t>(type);
  if (name == "brev") instruction.run = unaryOf<Reverse>(type);
  if (name == "cnot") instruction.run = unaryOf<IsZero>(type);
  if (instruction.run != nullptr) decodeOperands(decoder, statement, type, instruction);
  return instruction.run != nullptr;
}

bool decodeWords(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  const std::string& name = statement.parts[0];
  if (name == "prmt" && statement.parts.size() == 2) instruction.run = permuteBytes;
  if (name == "shf") instruction.run = statement.has("l") ? funnelShift<true> : funnelShift<false>;
  if (name == "lop3" && !statement.has("and") && !statement.has("or")) {
    instruction.run = logic3;
    instruction.immediate = static_cast<int64_t>(statement.operands[4].bits);
  }
  if (name == "dp4a") {
    const auto types = statement.types();
    instruction.run = dot4;
    instruction.immediate = (ptx::isSigned(types[0]) ? 1 : 0) | (ptx::isSigned(types[1]) ? 2 : 0);
  }
  instruction.flag = statement.has("clamp");
  if (instruction.run != nullptr) decodeOperands(decoder, statement, ptx::Type::b32, instruction);
  return instruction.run != nullptr;
}

}  // namespace

bool decodeBits(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  const std::string& name = statement.parts[0];
  if (name == "prmt" || name == "shf" || name == "lop3" || name == "dp4a")
    return decodeWords(decoder, statement, instruction);
  const auto types = statement.types();
  if (types.size() != 1) return false;
  if (name == "and") return decodeLogic<And>(decoder, statement, types[0], instruction);
  if (name == "or") return decodeLogic<Or>(decoder, statement, types[0], instruction);
  if (name == "xor") return decodeLogic<Xor>(decoder, statement, types[0], instruction);
  if (name == "not") return decodeNot(decoder, statement, types[0], instruction);
  if (name == "shl" || name == "shr") return decodeShift(decoder, statement, types[0], instruction);
  if (name == "bfe" || name == "bfi") return decodeField(decoder, statement, types[0], instruction);
  return decodeCount(decoder, statement, types[0], instruction);
}

}  // namespace alexnet::simulator
