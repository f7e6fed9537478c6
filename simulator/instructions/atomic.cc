// atom and red: one lane after the other, in the order of the lanes.
#include <cmath>

#include "../machine/block.h"
#include "instructions.h"
#include "small_floats.h"

namespace alexnet::simulator {
namespace {

enum Operation : uint32_t { kAdd, kMinimum, kMaximum, kAnd, kOr, kXor, kExchange, kCompareAndSwap };

template <class T>
T applied(uint32_t operation, T old, T b, T c) {
  if constexpr (std::is_integral_v<T>) {
    if (operation == kAnd) return old & b;
    if (operation == kOr) return old | b;
    if (operation == kXor) return old ^ b;
  }
  switch (operation) {
    case kAdd: return static_cast<T>(old + b);
    case kMinimum: return old < b ? old : b;
    case kMaximum: return old > b ? old : b;
    case kExchange: return b;
    default: return old == b ? c : old;
  }
}

// b: the operation; more: its operands; destination: kNoGuard for red.
template <class T>
void atomic(Warp& warp, const Instruction& i) {
  i.locate(warp, i);
  const T* b = warp.at<T>(i.more[0]);
  const T* c = warp.at<T>(i.more[1]);
  T olds[kLanes];
  forEachLane(warp.mask.bits, [&](int lane) {
    T old;
    std::memcpy(&old, warp.where[static_cast<size_t>(lane)], sizeof(T));
    const T value = applied<T>(i.b, old, b[lane], c[lane]);
    std::memcpy(warp.where[static_cast<size_t>(lane)], &value, sizeof(T));
    olds[lane] = old;
  });
  if (i.destination == kNoGuard) return;
  T* destination = warp.at<T>(i.destination);
  forEachLane(warp.mask.bits, [&](int lane) { destination[lane] = olds[lane]; });
}

Handler handlerFor(ptx::Type type) {
  using ptx::Type;
  switch (type) {
    case Type::s32: return atomic<int32_t>;
    case Type::u32:
    case Type::b32: return atomic<uint32_t>;
    case Type::s64: return atomic<int64_t>;
    case Type::u64:
    case Type::b64: return atomic<uint64_t>;
    case Type::f32: return atomic<float>;
    case Type::f64: return atomic<double>;
    default: return nullptr;
  }
}

bool operationOf(const ptx::Statement& statement, uint32_t& operation) {
  static const std::pair<const char*, uint32_t> kNames[] = {
      {"add", kAdd}, {"min", kMinimum}, {"max", kMaximum},   {"and", kAnd},
      {"or", kOr},   {"xor", kXor},     {"exch", kExchange}, {"cas", kCompareAndSwap}};
  for (const auto& [name, value] : kNames) {
    if (!statement.has(name)) continue;
    operation = value;
    return true;
  }
  return false;
}

}  // namespace

bool decodeAtomic(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  const bool returns = statement.parts[0] == "atom";
  if (!returns && statement.parts[0] != "red") return false;
  const ptx::Type type = statement.types().at(0);
  instruction.run = handlerFor(type);
  uint32_t operation = 0;
  if (instruction.run == nullptr || !operationOf(statement, operation)) return false;
  const size_t first = returns ? 1 : 0;
  const auto& operands = statement.operands;
  instruction.destination = returns ? decoder.destination(operands[0]) : kNoGuard;
  const uint32_t b = decoder.source(operands[first + 1], type);
  const uint32_t c = operands.size() > first + 2 ? decoder.source(operands[first + 2], type) : b;
  instruction.more = decoder.list({b, c});
  decodeAddress(decoder, operands[first], spaceOf(statement), static_cast<uint32_t>(ptx::bytesOf(type)), Use::update,
                instruction);
  instruction.b = operation;
  return true;
}

}  // namespace alexnet::simulator
