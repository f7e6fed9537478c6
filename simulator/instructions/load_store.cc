// Loads and stores of every space, and the checks that come with them.
#include <algorithm>

#include "../machine/block.h"
#include "../machine/fault.h"
#include "instructions.h"
#include "lanes.h"

namespace alexnet::simulator {
namespace {

struct Addresses {
  alignas(64) uint64_t lane[kLanes];
  uint64_t low = ~0ULL, high = 0, bits = 0;
};

void gather(Warp& warp, const Instruction& i, Addresses& to) {
  const auto offset = static_cast<uint64_t>(i.immediate);
  if (i.flag) {
    const auto* base = warp.at<uint64_t>(i.a);
    for (int lane = 0; lane < kLanes; ++lane) to.lane[lane] = base[lane] + offset;
  } else {
    const auto* base = warp.at<uint32_t>(i.a);
    for (int lane = 0; lane < kLanes; ++lane) to.lane[lane] = base[lane] + offset;
  }
  uint64_t low = ~0ULL, high = 0, bits = 0;
  for (int lane = 0; lane < kLanes; ++lane) {
    const bool takesPart = warp.mask.lanes[lane] != 0;
    low = std::min<uint64_t>(low, takesPart ? to.lane[lane] : ~0ULL);
    high = std::max<uint64_t>(high, takesPart ? to.lane[lane] : 0ULL);
    bits |= takesPart ? to.lane[lane] : 0ULL;
  }
  to.low = low;
  to.high = high;
  to.bits = bits;
}

uint32_t bytesOfAccess(const Instruction& i) { return i.c; }

// Marks what a lane does to the words of its access, and finds reads of what nobody wrote.
void mark(Allocation& allocation, uint64_t offset, uint32_t bytes, Use use, int lane) {
  if (use != Use::write && firstUnwritten(allocation, offset, offset + bytes) != offset + bytes) {
    throw Fault(lane, "reads " + std::to_string(bytes) + " bytes of global memory at " + std::to_string(offset) +
                          " of " + std::to_string(allocation.bytes) + " that nobody wrote");
  }
  if (!isRead(use)) markWritten(allocation, offset, offset + bytes, kWrittenNow);
  if (isRead(use)) {
    for (uint64_t word = offset / 4; word <= (offset + bytes - 1) / 4; ++word) allocation.state[word] |= kReadNow;
  }
}

// Whole words, the common case.
template <Use use>
void markWords(Allocation& allocation, uint64_t offset, uint32_t bytes, int lane) {
  uint8_t* state = allocation.state + offset / 4;
  for (uint32_t word = 0; word < bytes / 4; ++word) {
    if (isRead(use)) {
      if ((state[word] & kWritten) != kWritten) mark(allocation, offset, bytes, use, lane);
      state[word] |= kReadNow;
    } else if (use == Use::write) {
      state[word] |= kWritten | kWrittenNow;
    } else {
      mark(allocation, offset, bytes, use, lane);
    }
  }
}

Allocation& allocationOf(Warp& warp, const Instruction& i, int lane, uint64_t address, uint32_t bytes, Use use) {
  const Launch& launch = warp.block->launch();
  Memory& memory = *launch.memory;
  if (Allocation* recent = warp.block->recent(i);
      recent != nullptr && !recent->freed && recent->contains(address, bytes)) {
    return *recent;
  }
  Allocation* found = memory.find(address, bytes);
  if (found == nullptr) {
    throw Fault(lane, std::string("out of bounds: ") + verb(use) + std::to_string(bytes) +
                          " bytes of global memory at " + hex(address) + ", " + memory.explain(address, bytes));
  }
  if (found->device != kHost && found->device != launch.device && !memory.hasPeer(launch.device, found->device)) {
    throw Fault(lane, std::string(verb(use)) + "memory of " + deviceName(found->device) + " on " +
                          deviceName(launch.device) + " without peer access");
  }
  warp.block->recent(i) = found;
  return *found;
}

void countShared(Warp& warp, const Instruction& i, uint32_t mask, const Addresses& addresses) {
  if (Counters* counters = warp.block->launch().counters) {
    counters->touchShared(i, mask, addresses.lane, bytesOfAccess(i));
  }
}

void countGlobal(Warp& warp, const Instruction& i, uint32_t mask, const Addresses& addresses) {
  if (Counters* counters = warp.block->launch().counters) {
    uint32_t bytes[kLanes];
    std::fill(bytes, bytes + kLanes, bytesOfAccess(i));
    counters->touchGlobal(i, mask, addresses.lane, bytes);
  }
}

[[noreturn]] void misaligned(const Addresses& addresses, uint32_t bits, uint32_t bytes) {
  int lane = 0;
  forEachLane(bits, [&](int candidate) {
    if (addresses.lane[candidate] % bytes != 0) lane = candidate;
  });
  requireAligned(lane, addresses.lane[lane], bytes);
  std::abort();  // one of them is not
}

template <Use use>
void locateGlobal(Warp& warp, const Instruction& i, const Addresses& addresses) {
  const uint32_t bytes = bytesOfAccess(i);
  if ((addresses.bits & (bytes - 1)) != 0) misaligned(addresses, warp.mask.bits, bytes);
  Allocation* recent = warp.block->recent(i);
  const bool all = recent != nullptr && !recent->freed && addresses.low >= recent->base &&
                   addresses.high + bytes <= recent->base + recent->bytes;
  Memory& memory = *warp.block->launch().memory;
  Counters* counters = warp.block->launch().counters;
  if (all) memory.remember(*recent, addresses.low - recent->base, addresses.high + bytes - recent->base);
  forEachLane(warp.mask.bits, [&](int lane) {
    const uint64_t address = addresses.lane[lane];
    Allocation& allocation = all ? *recent : allocationOf(warp, i, lane, address, bytes, use);
    const uint64_t offset = address - allocation.base;
    if (!all) memory.remember(allocation, offset, offset + bytes);
    if (allocation.state != nullptr) {
      if (bytes >= 4)
        markWords<use>(allocation, offset, bytes, lane);
      else
        mark(allocation, offset, bytes, use, lane);
      warp.block->order().touch(allocation, offset, bytes, use, warp.index, lane);
    }
    if (counters != nullptr) counters->touchSector(allocation, offset, use);
    warp.where[static_cast<size_t>(lane)] = allocation.data + offset;
  });
  countGlobal(warp, i, warp.mask.bits, addresses);
}

template <Use use>
void locateShared(Warp& warp, const Instruction& i, const Addresses& addresses) {
  SharedMemory& shared = warp.block->shared();
  const uint32_t bytes = bytesOfAccess(i);
  forEachLane(warp.mask.bits, [&](int lane) {
    warp.where[static_cast<size_t>(lane)] = shared.access<use>(warp, lane, addresses.lane[lane], bytes);
  });
  countShared(warp, i, warp.mask.bits, addresses);
}

std::byte* localPlace(Warp& warp, int lane, uint64_t offset, uint32_t bytes) {
  const uint32_t size = warp.block->launch().program->localBytes;
  if (offset + bytes > size || offset > size) {
    throw Fault(lane, "out of bounds: " + std::to_string(bytes) + " bytes of local memory at " + hex(offset));
  }
  if (offset % bytes != 0)
    throw Fault(lane, "misaligned: " + std::to_string(bytes) + " bytes of local memory at " + hex(offset));
  return warp.local + static_cast<size_t>(lane) * ((size + 127) / 128 * 128) + offset;
}

std::byte* parameterPlace(Warp& warp, int lane, uint64_t offset, uint32_t bytes) {
  const size_t size = warp.block->launch().parameters.size();
  if (offset + bytes > size || offset > size) {
    throw Fault(lane,
                "out of bounds: " + std::to_string(bytes) + " bytes of the kernel's parameters at " + hex(offset));
  }
  return const_cast<std::byte*>(warp.parameters) + offset;
}

template <Use use>
void locateGlobalOnly(Warp& warp, const Instruction& i) {
  Addresses addresses;
  gather(warp, i, addresses);
  locateGlobal<use>(warp, i, addresses);
}

template <Use use>
void locateSharedOnly(Warp& warp, const Instruction& i) {
  Addresses addresses;
  gather(warp, i, addresses);
  locateShared<use>(warp, i, addresses);
}

void locateLocal(Warp& warp, const Instruction& i) {
  Addresses addresses;
  gather(warp, i, addresses);
  forEachLane(warp.mask.bits, [&](int lane) {
    warp.where[static_cast<size_t>(lane)] = localPlace(warp, lane, addresses.lane[lane], bytesOfAccess(i));
  });
}

void locateParameter(Warp& warp, const Instruction& i) {
  Addresses addresses;
  gather(warp, i, addresses);
  forEachLane(warp.mask.bits, [&](int lane) {
    warp.where[static_cast<size_t>(lane)] = parameterPlace(warp, lane, addresses.lane[lane], bytesOfAccess(i));
  });
}

// Each lane by the window that its address lies in.
template <Use use>
void locateGeneric(Warp& warp, const Instruction& i) {
  Addresses addresses;
  gather(warp, i, addresses);
  if ((addresses.bits & kWindowMask) == 0) return locateGlobal<use>(warp, i, addresses);
  const uint32_t bytes = bytesOfAccess(i);
  uint32_t sharedLanes = 0, globalLanes = 0;
  forEachLane(warp.mask.bits, [&](int lane) {
    const uint64_t window = addresses.lane[lane] & kWindowMask, offset = addresses.lane[lane] & ~kWindowMask;
    std::byte*& place = warp.where[static_cast<size_t>(lane)];
    if (window == kSharedWindow) {
      place = warp.block->shared().access<use>(warp, lane, offset, bytes);
      sharedLanes |= 1U << lane;
    } else if (window == kLocalWindow) {
      place = localPlace(warp, lane, offset, bytes);
    } else if (window == kParameterWindow) {
      place = parameterPlace(warp, lane, offset, bytes);
    } else {
      requireAligned(lane, addresses.lane[lane], bytes);
      place = locateGlobalLane(warp, i, lane, addresses.lane[lane], bytes, use);
      globalLanes |= 1U << lane;
    }
  });
  if (sharedLanes != 0) countShared(warp, i, sharedLanes, addresses);
  if (globalLanes != 0) countGlobal(warp, i, globalLanes, addresses);
}

Handler locatorFor(ptx::Space space, Use use) {
  const auto pick = [use](Handler read, Handler write, Handler update) {
    return isRead(use) ? read : use == Use::write ? write : update;
  };
  switch (space) {
    case ptx::Space::shared:
      return pick(locateSharedOnly<Use::read>, locateSharedOnly<Use::write>, locateSharedOnly<Use::update>);
    case ptx::Space::local: return locateLocal;
    case ptx::Space::param: return locateParameter;
    case ptx::Space::generic:
      return pick(locateGeneric<Use::read>, locateGeneric<Use::write>, locateGeneric<Use::update>);
    default:
      if (use == Use::readOnly) return locateGlobalOnly<Use::readOnly>;
      return pick(locateGlobalOnly<Use::read>, locateGlobalOnly<Use::write>, locateGlobalOnly<Use::update>);
  }
}

// T in memory, R in the register. more: the registers of a vector.
template <class T, class R>
void load(Warp& warp, const Instruction& i) {
  i.locate(warp, i);
  for (uint32_t e = 0; e < i.count; ++e) {
    R* destination = warp.at<R>(i.more[e]);
    forEachLane(warp.mask.bits, [&](int lane) {
      T value;
      std::memcpy(&value, warp.where[static_cast<size_t>(lane)] + e * sizeof(T), sizeof(T));
      destination[lane] = static_cast<R>(value);
    });
  }
}

template <class T, class R>
void store(Warp& warp, const Instruction& i) {
  i.locate(warp, i);
  for (uint32_t e = 0; e < i.count; ++e) {
    const R* source = warp.at<R>(i.more[e]);
    forEachLane(warp.mask.bits, [&](int lane) {
      const T value = static_cast<T>(source[lane]);
      std::memcpy(warp.where[static_cast<size_t>(lane)] + e * sizeof(T), &value, sizeof(T));
    });
  }
}

template <class R>
Handler loadFor(ptx::Type type) {
  using ptx::Type;
  switch (ptx::bytesOf(type)) {
    case 1: return type == Type::s8 ? load<int8_t, R> : load<uint8_t, R>;
    case 2: return type == Type::s16 ? load<int16_t, R> : load<uint16_t, R>;
    case 4: return type == Type::s32 ? load<int32_t, R> : load<uint32_t, R>;
    default: return load<uint64_t, R>;
  }
}

template <class R>
Handler storeFor(ptx::Type type) {
  switch (ptx::bytesOf(type)) {
    case 1: return store<uint8_t, R>;
    case 2: return store<uint16_t, R>;
    case 4: return store<uint32_t, R>;
    default: return store<uint64_t, R>;
  }
}

bool decodeAccess(Decoder& decoder, const ptx::Statement& statement, bool isLoad, Instruction& instruction) {
  const ptx::Operand& data = statement.operands[isLoad ? 0 : 1];
  const ptx::Operand& place = statement.operands[isLoad ? 1 : 0];
  const ptx::Type type = statement.types().at(0);
  const std::vector<ptx::Operand> elements =
      data.kind == ptx::Operand::Kind::list ? data.list : std::vector<ptx::Operand>{data};
  std::vector<uint32_t> registers;
  for (const ptx::Operand& element : elements) {
    registers.push_back(isLoad ? decoder.destination(element) : decoder.source(element, type));
  }
  const bool wide = elements[0].name == "_" || decoder.width(elements[0], type) == 8;
  if (isLoad)
    instruction.run = wide ? loadFor<uint64_t>(type) : loadFor<uint32_t>(type);
  else
    instruction.run = wide ? storeFor<uint64_t>(type) : storeFor<uint32_t>(type);
  instruction.count = static_cast<uint16_t>(elements.size());
  instruction.more = decoder.list(std::move(registers));
  const auto bytes = static_cast<uint32_t>(ptx::bytesOf(type)) * instruction.count;
  const Use use = !isLoad ? Use::write : statement.has("nc") ? Use::readOnly : Use::read;
  decodeAddress(decoder, place, spaceOf(statement), bytes, use, instruction);
  return true;
}

void nothing(Warp&, const Instruction&) {}

}  // namespace

ptx::Space spaceOf(const ptx::Statement& statement) {
  for (const std::string& part : statement.parts) {
    if (part == "global") return ptx::Space::global;
    if (part.rfind("shared", 0) == 0) return ptx::Space::shared;
    if (part == "local") return ptx::Space::local;
    if (part == "param" || part.rfind("param::", 0) == 0) return ptx::Space::param;
    if (part == "const") return ptx::Space::constant;
  }
  return ptx::Space::generic;
}

void decodeAddress(Decoder& decoder, const ptx::Operand& operand, ptx::Space space, uint32_t bytes, Use use,
                   Instruction& instruction) {
  decoder.address(operand, instruction);
  instruction.c = bytes;
  // Parameters of functions and calls lie in local memory; only the kernel's own do not.
  if (space == ptx::Space::param && decoder.localOffset(operand.name) >= 0) space = ptx::Space::local;
  if (space == ptx::Space::shared || space == ptx::Space::generic) decoder.noteSharedAccess(std::min(bytes, 4U));
  instruction.locate = locatorFor(space, use);
}

void requireAligned(int lane, uint64_t address, uint32_t bytes) {
  if (address % bytes == 0) return;
  throw Fault(lane, "misaligned: an access of " + std::to_string(bytes) + " bytes at " + hex(address));
}

std::byte* locateGlobalLane(Warp& warp, const Instruction& i, int lane, uint64_t address, uint32_t bytes, Use use) {
  Allocation& allocation = allocationOf(warp, i, lane, address, bytes, use);
  const uint64_t offset = address - allocation.base;
  warp.block->launch().memory->remember(allocation, offset, offset + bytes);
  if (allocation.state != nullptr) {
    mark(allocation, offset, bytes, use, lane);
    warp.block->order().touch(allocation, offset, bytes, use, warp.index, lane);
  }
  if (Counters* counters = warp.block->launch().counters) counters->touchSector(allocation, offset, use);
  return allocation.data + offset;
}

bool decodeLoadStore(Decoder& decoder, const ptx::Statement& statement, Instruction& instruction) {
  const std::string& name = statement.parts[0];
  if (name == "ld" || name == "ldu") return decodeAccess(decoder, statement, true, instruction);
  if (name == "st") return decodeAccess(decoder, statement, false, instruction);
  if (name == "prefetch" || name == "prefetchu" || name == "discard" || name == "applypriority") {
    instruction.run = nothing;
    return true;
  }
  return false;
}

}  // namespace alexnet::simulator
