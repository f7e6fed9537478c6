// What the lanes of a warp do together: shuffles, votes, reductions, __syncwarp().
#include <string>

#include "../machine/block.h"
#include "../machine/fault.h"
#include "instructions.h"

namespace alexnet::simulator {
namespace {

// Every lane that the mask names must be here, and every lane that is here must be named. False where lanes that are
// still on their way must come first.
bool checkMembers(Warp& warp, uint32_t slot) {
  const auto* masks = warp.at<uint32_t>(slot);
  uint32_t named = 0;
  forEachLane(warp.mask.bits, [&](int lane) { named |= masks[lane]; });
  const uint32_t absent = named & ~warp.mask.bits;
  if (absent != 0 && (absent & ~warp.live) == 0 && warp.waitForOthers()) return false;
  forEachLane(warp.mask.bits, [&](int lane) {
    const uint32_t members = masks[lane];
    if (!(members >> lane & 1))
      throw Fault(lane, "the mask " + hex(members) + " leaves out lane " + std::to_string(lane) + ", which takes part");
    if (const uint32_t missing = members & ~warp.mask.bits) {
      const int other = __builtin_ctz(missing);
      const bool exited = !(warp.live >> other & 1);
      throw Fault(lane, "the mask " + hex(members) + " names lane " + std::to_string(other) +
                            (exited ? ", which has exited" : ", which does not take part"));
    }
    if (const uint32_t left = warp.mask.bits & ~members) {
      const int other = __builtin_ctz(left);
      if (masks[other] == members)
        throw Fault(lane,
                    "the mask " + hex(members) + " leaves out lane " + std::to_string(other) + ", which takes part");
    }
  });
  warp.triedAgain = false;
  return true;
}

}  // namespace

bool isWholeWarp(Warp& warp) {
  if (!warp.mask.full()) {
    const uint32_t absent = ~warp.mask.bits;
    if ((absent & ~warp.live) == 0 && warp.waitForOthers()) return false;
    const int other = __builtin_ctz(absent);
    const bool exited = !(warp.live >> other & 1);
    throw Fault(__builtin_ctz(warp.mask.bits),
                "all lanes of a warp must run this instruction together (.aligned); lane " + std::to_string(other) +
                    (exited ? " has exited" : " does not take part"));
  }
  warp.triedAgain = false;
  return true;
}

namespace {

enum Shuffle : int64_t { kUp, kDown, kButterfly, kIndex };

// b: lane or distance; c: clamp and segment; more[0] the mask, more[1] the predicate of validity or ~0.
void shuffle(Warp& warp, const Instruction& i) {
  if (!checkMembers(warp, i.more[0])) return;
  const auto* a = warp.at<uint32_t>(i.a);
  const auto* b = warp.at<uint32_t>(i.b);
  const auto* c = warp.at<uint32_t>(i.c);
  uint32_t values[kLanes], valid = 0;
  forEachLane(warp.mask.bits, [&](int lane) {
    const int by = static_cast<int>(b[lane] & 31), clamp = static_cast<int>(c[lane] & 31);
    const int segment = static_cast<int>(c[lane] >> 8 & 31);
    const int last = (lane & segment) | (clamp & ~segment), first = lane & segment;
    int from = lane;
    bool inside = true;
    switch (i.immediate) {
      case kUp: from = lane - by, inside = from >= last; break;
      case kDown: from = lane + by, inside = from <= last; break;
      case kButterfly: from = lane ^ by, inside = from <= last; break;
      default: from = first | (by & ~segment), inside = from <= last; break;
    }
    if (!inside) from = lane;
    if (!warp.mask.has(from)) {
      throw Fault(lane, "a shuffle reads lane " + std::to_string(from) + ", which does not take part");
    }
    values[lane] = a[from];
    if (inside) valid |= 1U << lane;
  });
  auto* destination = warp.at<uint32_t>(i.destination);
  forEachLane(warp.mask.bits, [&](int lane) { destination[lane] = values[lane]; });
  if (i.more[1] != ~0U) warp.setPredicate(i.more[1], valid);
}

enum Vote : int64_t { kAny, kAll, kUniform, kBallot };

void vote(Warp& warp, const Instruction& i) {
  if (!checkMembers(warp, i.b)) return;
  const uint32_t bits = (i.flag ? ~warp.predicate(i.a) : warp.predicate(i.a)) & warp.mask.bits;
  const bool all = bits == warp.mask.bits, none = bits == 0;
  if (i.immediate == kBallot) {
    auto* destination = warp.at<uint32_t>(i.destination);
    forEachLane(warp.mask.bits, [&](int lane) { destination[lane] = bits; });
    return;
  }
  const bool result = i.immediate == kAny ? !none : i.immediate == kAll ? all : all || none;
  warp.setPredicate(i.destination, result ? kAllLanes : 0);
}

void activeMask(Warp& warp, const Instruction& i) {
  auto* destination = warp.at<uint32_t>(i.destination);
  forEachLane(warp.mask.bits, [&](int lane) { destination[lane] = warp.mask.bits; });
}

void synchronizeWarp(Warp& warp, const Instruction& i) {
  if (!checkMembers(warp, i.a)) return;
  ++warp.synchronizations;
}

enum Reduction : int64_t { kAdd, kMinimum, kMaximum, kMinimumSigned, kMaximumSigned, kAnd, kOr, kXor };

uint32_t reduced(int64_t operation, uint32_t a, uint32_t b) {
  const auto left = static_cast<int32_t>(a), right = static_cast<int32_t>(b);
  switch (operation) {
    case kAdd: return a + b;
    case kMinimum: return a < b ? a : b;
    case kMaximum: return a > b ? a : b;
    case kMinimumSigned: return left < right ? a : b;
    case kMaximumSigned: return left > right ? a : b;
    case kAnd: return a & b;
    case kOr: return a | b;
    default: return a ^ b;
  }
}

void reduce(Warp& warp, const Instruction& i) {
  if (!checkMembers(warp, i.b)) return;
  const auto* a = warp.at<uint32_t>(i.a);
  const int first = __builtin_ctz(warp.mask.bits);
  uint32_t result = a[first];
  forEachLane(warp.mask.bits & (warp.mask.bits - 1), [&](int lane) { result = reduced(i.immediate, result, a[lane]); });
  auto* destination = warp.at<uint32_t>(i.destination);
  forEachLane(warp.mask.bits, [&](int lane) { destination[lane] = result; });
}

void matchAny(Warp& warp, const Instruction& i) {
  if (!checkMembers(warp, i.b)) return;
  const auto* a = warp.at<uint32_t>(i.a);
  uint32_t result[kLanes];
  forEachLane(warp.mask.bits, [&](int lane) {
    result[lane] = 0;
    forEachLane(warp.mask.bits, [&](int other) { result[lane] |= a[other] == a[lane] ? 1U << other : 0; });
  });
  auto* destination = warp.at<uint32_t>(i.destination);
  forEachLane(warp.mask.bits, [&](int lane) { destination[lane] = result[lane]; });
}

bool decodeShuffle(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  const auto& operands = statement.operands;
  decoder.require(operands.size() == 5, "without a mask is not supported");
  instruction.run = shuffle;
  instruction.immediate = statement.has("up")     ? kUp
                          : statement.has("down") ? kDown
                          : statement.has("bfly") ? kButterfly
                                                  : kIndex;
  instruction.destination = decoder.destination(operands[0]);
  instruction.a = decoder.source(operands[1], ptx::Type::b32);
  instruction.b = decoder.source(operands[2], ptx::Type::b32);
  instruction.c = decoder.source(operands[3], ptx::Type::b32);
  uint32_t valid = ~0U;
  if (!operands[0].second.empty()) {
    ptx::Operand predicate;
    predicate.name = operands[0].second;
    valid = decoder.predicate(predicate);
  }
  instruction.more = decoder.list({decoder.source(operands[4], ptx::Type::b32), valid});
  return true;
}

bool decodeVote(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  const auto& operands = statement.operands;
  decoder.require(operands.size() == 3, "without a mask is not supported");
  instruction.run = vote;
  instruction.immediate = statement.has("ballot") ? kBallot
                          : statement.has("any")  ? kAny
                          : statement.has("all")  ? kAll
                                                  : kUniform;
  instruction.destination =
      instruction.immediate == kBallot ? decoder.destination(operands[0]) : decoder.predicate(operands[0]);
  instruction.a = decoder.predicate(operands[1]);
  instruction.flag = operands[1].negated;
  instruction.b = decoder.source(operands[2], ptx::Type::b32);
  return true;
}

bool decodeReduction(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  decoder.requireCapability(80);
  const bool isSigned = statement.has("s32");
  if (statement.has("add")) instruction.immediate = kAdd;
  if (statement.has("min")) instruction.immediate = isSigned ? kMinimumSigned : kMinimum;
  if (statement.has("max")) instruction.immediate = isSigned ? kMaximumSigned : kMaximum;
  if (statement.has("and")) instruction.immediate = kAnd;
  if (statement.has("or")) instruction.immediate = kOr;
  if (statement.has("xor")) instruction.immediate = kXor;
  instruction.run = reduce;
  return true;
}

}  // namespace

bool decodeWarpWide(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  const std::string& name = statement.parts[0];
  if (name == "shfl") return decodeShuffle(decoder, statement, instruction);
  if (name == "vote") return decodeVote(decoder, statement, instruction);
  if (name == "bar" && statement.has("warp")) {
    instruction.run = synchronizeWarp;
    instruction.a = decoder.source(statement.operands[0], ptx::Type::b32);
    return true;
  }
  if (name == "activemask") {
    instruction.run = activeMask;
    instruction.destination = decoder.destination(statement.operands[0]);
    return true;
  }
  const bool match = name == "match" && statement.has("any") && statement.has("b32");
  if (!match && name != "redux") return false;
  instruction.run = matchAny;
  instruction.destination = decoder.destination(statement.operands[0]);
  instruction.a = decoder.source(statement.operands[1], ptx::Type::b32);
  instruction.b = decoder.source(statement.operands[2], ptx::Type::b32);
  return match || decodeReduction(decoder, statement, instruction);
}

}  // namespace alexnet::simulator
