// cp.async: copies from global to shared memory that run beside the thread, its groups, and the waits for them.
#include <string>

#include "../machine/block.h"
#include "../machine/fault.h"
#include "instructions.h"

namespace alexnet::simulator {
namespace {

uint64_t addressOf(Warp& warp, uint32_t base, bool wide, int lane) {
  return wide ? warp.at<uint64_t>(base)[lane] : warp.at<uint32_t>(base)[lane];
}

// What Instruction::more holds: the source's register, its offset, and whether it has 64 bits; the register with the number
// of bytes that are read; the predicate of lanes that read nothing. The last two are kNoGuard where there are none.
enum More { kSource, kSourceOffset, kSourceIsWide, kSourceBytes, kIgnored };

// a, immediate, flag: the shared address; c: bytes.
void copyAsync(Warp& warp, const Instruction& i) {
  const uint32_t bytes = i.c;
  const auto sourceOffset = static_cast<int32_t>(i.more[kSourceOffset]);
  uint64_t destinations[kLanes], sources[kLanes];
  uint32_t read[kLanes];
  forEachLane(warp.mask.bits, [&](int lane) {
    const uint64_t to = addressOf(warp, i.a, i.flag, lane) + static_cast<uint64_t>(i.immediate);
    const uint64_t from = addressOf(warp, i.more[kSource], i.more[kSourceIsWide] != 0, lane) +
                          static_cast<uint64_t>(static_cast<int64_t>(sourceOffset));
    uint32_t sourceBytes = i.more[kSourceBytes] == kNoGuard ? bytes : warp.at<uint32_t>(i.more[kSourceBytes])[lane];
    if (i.more[kIgnored] != kNoGuard && (warp.predicate(i.more[kIgnored]) >> lane & 1)) sourceBytes = 0;
    if (sourceBytes > bytes) {
      throw Fault(lane, "copies " + std::to_string(bytes) + " bytes, of which it reads " + std::to_string(sourceBytes));
    }
    requireAligned(lane, from, bytes);
    const std::byte* source =
        sourceBytes == 0 ? nullptr : locateGlobalLane(warp, i, lane, from, sourceBytes, Use::read);
    warp.block->copies().issue(warp, lane, to, bytes, source, sourceBytes);
    destinations[lane] = to, sources[lane] = from, read[lane] = sourceBytes;
  });
  if (Counters* counters = warp.block->launch().counters) {
    counters->touchShared(i, warp.mask.bits, destinations, bytes);
    counters->touchGlobal(i, warp.mask.bits, sources, read);
  }
}

void commitGroup(Warp& warp, const Instruction&) {
  forEachLane(warp.mask.bits, [&](int lane) { warp.block->copies().commit(warp, lane); });
}

// immediate: how many groups may be under way.
void waitGroups(Warp& warp, const Instruction& i) {
  forEachLane(warp.mask.bits,
              [&](int lane) { warp.block->copies().waitGroups(warp, lane, static_cast<uint32_t>(i.immediate)); });
}

void waitAll(Warp& warp, const Instruction&) {
  forEachLane(warp.mask.bits, [&](int lane) { warp.block->copies().waitAll(warp, lane); });
}

// cp.async.{ca,cg}.shared.global [to], [from], bytes{, bytes that are read | predicate of nothing}
void decodeCopy(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  const auto& operands = statement.operands;
  decoder.require(operands.size() >= 3 && operands[2].kind == ptx::Operand::Kind::immediate, "does not say how much");
  const auto bytes = static_cast<uint32_t>(operands[2].bits);
  const bool sound = statement.has("cg") ? bytes == 16 : bytes == 4 || bytes == 8 || bytes == 16;
  decoder.require(sound, "cannot copy " + std::to_string(bytes) + " bytes at a time");
  Instruction source;
  decoder.address(operands[1], source);
  decoder.require(source.immediate == static_cast<int32_t>(source.immediate), "has too large an offset");
  decoder.address(operands[0], instruction);
  instruction.c = bytes;
  decoder.noteSharedAccess(4);
  decoder.require(!statement.has("L2::cache_hint") && operands.size() <= 4,
                  "has a cache policy, which is not known here");
  uint32_t sourceBytes = kNoGuard, ignored = kNoGuard;
  if (operands.size() > 3 && decoder.isPredicate(operands[3])) {
    decoder.require(!operands[3].negated, "has a predicate that is negated");
    ignored = decoder.predicate(operands[3]);
  } else if (operands.size() > 3) {
    sourceBytes = decoder.source(operands[3], ptx::Type::u32);
  }
  instruction.more =
      decoder.list({source.a, static_cast<uint32_t>(source.immediate), source.flag ? 1U : 0U, sourceBytes, ignored});
  instruction.run = copyAsync;
}

}  // namespace

bool decodeAsyncCopy(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  if (statement.parts[0] != "cp" || !statement.has("async") || statement.has("bulk")) return false;
  if (statement.has("mbarrier")) return false;
  decoder.requireCapability(80);
  if (statement.has("commit_group")) {
    instruction.run = commitGroup;
  } else if (statement.has("wait_all")) {
    instruction.run = waitAll;
  } else if (statement.has("wait_group")) {
    instruction.run = waitGroups;
    instruction.immediate = static_cast<int64_t>(statement.operands.at(0).bits);
  } else {
    decodeCopy(decoder, statement, instruction);
  }
  return true;
}

}  // namespace alexnet::simulator
