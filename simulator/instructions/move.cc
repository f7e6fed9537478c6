// mov, its packing and unpacking, special registers, and addresses from one space to another.
#include <chrono>

#include "../machine/block.h"
#include "instructions.h"
#include "lanes.h"

namespace alexnet::simulator {
namespace {

template <class T>
void move(Warp& warp, const Instruction& i) {
  const T* a = warp.at<T>(i.a);
  assign(warp, warp.at<T>(i.destination), [=](int lane) { return a[lane]; });
}

void movePredicate(Warp& warp, const Instruction& i) { warp.setPredicate(i.destination, warp.predicate(i.a)); }

void setPredicateTo(Warp& warp, const Instruction& i) {
  warp.setPredicate(i.destination, i.immediate != 0 ? kAllLanes : 0);
}

// immediate: bits of an element; flag: the whole has 64 bits. more: the elements, lowest first.
void pack(Warp& warp, const Instruction& i) {
  forEachLane(warp.mask.bits, [&](int lane) {
    uint64_t whole = 0;
    for (uint32_t e = 0; e < i.count; ++e) {
      const uint64_t mask = i.immediate == 32 ? 0xffffffffU : (1U << i.immediate) - 1;
      whole |= (warp.at<uint32_t>(i.more[e])[lane] & mask) << e * static_cast<uint64_t>(i.immediate);
    }
    if (i.flag)
      warp.at<uint64_t>(i.destination)[lane] = whole;
    else
      warp.at<uint32_t>(i.destination)[lane] = static_cast<uint32_t>(whole);
  });
}

void unpack(Warp& warp, const Instruction& i) {
  forEachLane(warp.mask.bits, [&](int lane) {
    const uint64_t whole = i.flag ? warp.at<uint64_t>(i.a)[lane] : warp.at<uint32_t>(i.a)[lane];
    const uint64_t mask = i.immediate == 32 ? 0xffffffffU : (1U << i.immediate) - 1;
    for (uint32_t e = 0; e < i.count; ++e) {
      warp.at<uint32_t>(i.more[e])[lane] =
          static_cast<uint32_t>(whole >> e * static_cast<uint64_t>(i.immediate) & mask);
    }
  });
}

template <class T>
void addWindow(Warp& warp, const Instruction& i) {
  const T* a = warp.at<T>(i.a);
  const auto window = static_cast<T>(i.immediate);
  assign(warp, warp.at<T>(i.destination), [=](int lane) { return a[lane] + window; });
}

enum Special : int64_t {
  kThreadX,
  kThreadY,
  kThreadZ,
  kBlockSizeX,
  kBlockSizeY,
  kBlockSizeZ,
  kBlockX,
  kBlockY,
  kBlockZ,
  kGridX,
  kGridY,
  kGridZ,
  kLane,
  kWarpIndex,
  kWarps,
  kProcessor,
  kProcessors,
  kLanesEqual,
  kLanesLess,
  kLanesLessEqual,
  kLanesGreater,
  kLanesGreaterEqual,
  kClock,
  kTimer,
  kDynamicShared,
  kTotalShared,
  kGridIndex,
  kSpecials
};
constexpr const char* kSpecialNames[] = {"%tid.x",
                                         "%tid.y",
                                         "%tid.z",
                                         "%ntid.x",
                                         "%ntid.y",
                                         "%ntid.z",
                                         "%ctaid.x",
                                         "%ctaid.y",
                                         "%ctaid.z",
                                         "%nctaid.x",
                                         "%nctaid.y",
                                         "%nctaid.z",
                                         "%laneid",
                                         "%warpid",
                                         "%nwarpid",
                                         "%smid",
                                         "%nsmid",
                                         "%lanemask_eq",
                                         "%lanemask_lt",
                                         "%lanemask_le",
                                         "%lanemask_gt",
                                         "%lanemask_ge",
                                         "%clock",
                                         "%globaltimer",
                                         "%dynamic_smem_size",
                                         "%total_smem_size",
                                         "%gridid"};

uint64_t specialValue(const Warp& warp, int lane, int64_t which) {
  const Block& block = *warp.block;
  const Launch& launch = block.launch();
  const uint32_t bit = 1U << lane;
  switch (which) {
    case kThreadX: return block.threadPlace(warp, lane).x;
    case kThreadY: return block.threadPlace(warp, lane).y;
    case kThreadZ: return block.threadPlace(warp, lane).z;
    case kBlockSizeX: return launch.block.x;
    case kBlockSizeY: return launch.block.y;
    case kBlockSizeZ: return launch.block.z;
    case kBlockX: return block.place().x;
    case kBlockY: return block.place().y;
    case kBlockZ: return block.place().z;
    case kGridX: return launch.grid.x;
    case kGridY: return launch.grid.y;
    case kGridZ: return launch.grid.z;
    case kLane: return static_cast<uint64_t>(lane);
    case kWarpIndex: return static_cast<uint64_t>(warp.index);
    case kWarps: return (block.threads() + kLanes - 1) / kLanes;
    case kProcessor: return block.number() % static_cast<uint64_t>(launch.multiprocessors);
    case kProcessors: return static_cast<uint64_t>(launch.multiprocessors);
    case kLanesEqual: return bit;
    case kLanesLess: return bit - 1;
    case kLanesLessEqual: return (bit - 1) | bit;
    case kLanesGreater: return ~((bit - 1) | bit) & kAllLanes;
    case kLanesGreaterEqual: return ~(bit - 1) & kAllLanes;
    case kDynamicShared: return launch.dynamicSharedBytes;
    case kTotalShared: return launch.program->staticSharedBytes + launch.dynamicSharedBytes;
    case kGridIndex: return 0;
    default: return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }
}

// immediate: which; flag: 64 bits.
void moveSpecial(Warp& warp, const Instruction& i) {
  forEachLane(warp.mask.bits, [&](int lane) {
    const uint64_t value = specialValue(warp, lane, i.immediate);
    if (i.flag)
      warp.at<uint64_t>(i.destination)[lane] = value;
    else
      warp.at<uint32_t>(i.destination)[lane] = static_cast<uint32_t>(value);
  });
}

int64_t specialNamed(const std::string& name) {
  if (name == "%clock64" || name == "%clock_hi") return kClock;
  for (int64_t which = 0; which < kSpecials; ++which) {
    if (name == kSpecialNames[which]) return which;
  }
  return -1;
}

bool decodeMov(Decoder& decoder, const ptx::Statement& statement, ptx::Type type, Instruction& instruction) {
  const ptx::Operand& to = statement.operands[0];
  const ptx::Operand& from = statement.operands[1];
  const bool wide = ptx::bytesOf(type) == 8;
  if (type == ptx::Type::pred) {
    instruction.destination = decoder.predicate(to);
    instruction.run = from.kind == ptx::Operand::Kind::immediate ? setPredicateTo : movePredicate;
    instruction.immediate = from.bits != 0 ? 1 : 0;
    if (from.kind == ptx::Operand::Kind::immediate) return true;
    instruction.a = decoder.predicate(from);
    return true;
  }
  const bool packs = from.kind == ptx::Operand::Kind::list, unpacks = to.kind == ptx::Operand::Kind::list;
  if (packs || unpacks) {
    const auto& elements = packs ? from.list : to.list;
    std::vector<uint32_t> registers;
    for (const ptx::Operand& element : elements) {
      decoder.require(decoder.width(element) == 4, "packs registers of 64 bits");
      registers.push_back(packs ? decoder.source(element, ptx::Type::b32) : decoder.destination(element));
    }
    instruction.run = packs ? pack : unpack;
    instruction.count = static_cast<uint16_t>(elements.size());
    instruction.immediate = 8 * ptx::bytesOf(type) / static_cast<int64_t>(elements.size());
    instruction.flag = wide;
    instruction.more = decoder.list(std::move(registers));
    if (packs)
      instruction.destination = decoder.destination(to);
    else
      instruction.a = decoder.source(from, type);
    return true;
  }
  instruction.destination = decoder.destination(to);
  if (const int64_t special = specialNamed(from.name); special >= 0) {
    instruction.run = moveSpecial;
    instruction.immediate = special;
    instruction.flag = wide;
    return true;
  }
  instruction.run = wide ? move<uint64_t> : move<uint32_t>;
  instruction.a = decoder.source(from, type);
  return true;
}

bool decodeAddressConversion(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  uint64_t window = 0;
  if (statement.has("shared") || statement.has("shared::cta")) window = kSharedWindow;
  if (statement.has("local")) window = kLocalWindow;
  if (statement.has("param")) window = kParameterWindow;
  instruction.immediate = static_cast<int64_t>(statement.has("to") ? -window : window);
  decoder.require(ptx::bytesOf(statement.types().at(0)) == 8, "converts an address of 32 bits");
  instruction.run = addWindow<uint64_t>;
  instruction.destination = decoder.destination(statement.operands[0]);
  instruction.a = decoder.source(statement.operands[1], ptx::Type::u64);
  return true;
}

}  // namespace

bool decodeMove(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  const std::string& name = statement.parts[0];
  if (name == "cvta") return decodeAddressConversion(decoder, statement, instruction);
  if (name != "mov") return false;
  return decodeMov(decoder, statement, statement.types().at(0), instruction);
}

}  // namespace alexnet::simulator
