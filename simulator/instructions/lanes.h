// Loops over the lanes of a warp for instructions that work on each lane by itself.
#pragma once

#include <cstdint>
#include <type_traits>

#include "../machine/decoder.h"
#include "../machine/warp.h"

namespace alexnet::simulator {

// What a register's lane is in the register file: values below 4 bytes lie in the lower part of a word.
template <class T>
using Slot = std::conditional_t<(sizeof(T) < 4), uint32_t, T>;

template <class T>
inline T get(Slot<T> slot) {
  return static_cast<T>(slot);
}

template <class T>
inline Slot<T> put(T value) {
  if constexpr (sizeof(T) < 4) {
    return static_cast<uint32_t>(static_cast<std::make_unsigned_t<T>>(value));
  } else {
    return value;
  }
}

// Op::apply<T>(a...) → R, with registers of types T.
template <class T, class Op, class R = T>
void unary(Warp& warp, const Instruction& i) {
  const auto* a = warp.at<Slot<T>>(i.a);
  assign(warp, warp.at<Slot<R>>(i.destination),
         [=](int lane) { return put<R>(Op::template apply<T>(get<T>(a[lane]))); });
}

template <class T, class Op, class R = T>
void binary(Warp& warp, const Instruction& i) {
  const auto* a = warp.at<Slot<T>>(i.a);
  const auto* b = warp.at<Slot<T>>(i.b);
  assign(warp, warp.at<Slot<R>>(i.destination),
         [=](int lane) { return put<R>(Op::template apply<T>(get<T>(a[lane]), get<T>(b[lane]))); });
}

template <class T, class Op>
void ternary(Warp& warp, const Instruction& i) {
  const auto* a = warp.at<Slot<T>>(i.a);
  const auto* b = warp.at<Slot<T>>(i.b);
  const auto* c = warp.at<Slot<T>>(i.c);
  assign(warp, warp.at<Slot<T>>(i.destination),
         [=](int lane) { return put<T>(Op::template apply<T>(get<T>(a[lane]), get<T>(b[lane]), get<T>(c[lane]))); });
}

template <class T>
struct Tag {
  using type = T;
};

// pick(Tag<T>) for the C++ type of an integer type of PTX, or null where it is none.
template <class Pick>
Handler forInteger(ptx::Type type, Pick pick) {
  using ptx::Type;
  switch (type) {
    case Type::s16: return pick(Tag<int16_t>{});
    case Type::u16:
    case Type::b16: return pick(Tag<uint16_t>{});
    case Type::s32: return pick(Tag<int32_t>{});
    case Type::u32:
    case Type::b32: return pick(Tag<uint32_t>{});
    case Type::s64: return pick(Tag<int64_t>{});
    case Type::u64:
    case Type::b64: return pick(Tag<uint64_t>{});
    default: return nullptr;
  }
}

// Destination, then up to three sources, all of `type`.
inline void decodeOperands(Decoder& decoder, const ptx::Statement& statement, ptx::Type type,
                           Instruction& instruction) {
  const auto& operands = statement.operands;
  decoder.require(operands.size() >= 2, "has too few operands");
  instruction.destination = decoder.destination(operands[0]);
  instruction.a = decoder.source(operands[1], type);
  if (operands.size() > 2) instruction.b = decoder.source(operands[2], type);
  if (operands.size() > 3) instruction.c = decoder.source(operands[3], type);
}

}  // namespace alexnet::simulator
