#include "shared_memory.h"

#include <cstring>

#include "block.h"
#include "fault.h"
#include "warp.h"

namespace alexnet::simulator {
namespace {

constexpr uint16_t kUpdates = 0xffff;  // atomics, which do not race with each other
constexpr uint16_t kMany = 0xffff;     // threads of several warps
constexpr uint16_t kWarp = 0x8000;     // several threads of one warp
constexpr uint32_t kInFlight = ~0U;    // in the place of an epoch: `writer` has not waited for its copy yet

uint16_t threadOf(const Warp& warp, int lane) { return static_cast<uint16_t>(warp.index * kLanes + lane); }

}  // namespace

SharedMemory::SharedMemory(const Program& program, uint32_t dynamicBytes, bool checked)
    : bytes_(program.dynamicSharedOffset + dynamicBytes), checked_(checked) {
  granuleShift_ = static_cast<uint32_t>(__builtin_ctz(program.sharedWordBytes));
  storage_.resize(bytes_ + 128);
  const auto start = reinterpret_cast<uintptr_t>(storage_.data());
  data_ = storage_.data() + (128 - start % 128) % 128;
  valid_.assign(bytes_, 0);
  for (const auto& variable : program.sharedVariables) std::memset(&valid_[variable.offset], 1, variable.bytes);
  if (dynamicBytes > 0) std::memset(&valid_[program.dynamicSharedOffset], 1, dynamicBytes);
  if (checked_) granules_.resize((bytes_ >> granuleShift_) + 1);
}

void SharedMemory::beginBlock() {
  std::memset(data_, 0xff, bytes_);
  blockEpoch_ = ++epoch_;
}

void SharedMemory::checkRange(int lane, uint64_t address, uint32_t bytes) const {
  const uint64_t offset = address - kSharedBase;
  const bool inside =
      address >= kSharedBase && offset + bytes <= bytes_ && valid_[offset] && valid_[offset + bytes - 1];
  if (!inside) {
    throw Fault(lane,
                std::to_string(bytes) + " bytes at " + hex(offset) + " of shared memory are outside its variables");
  }
  if (address % bytes != 0) {
    throw Fault(lane, "misaligned: " + std::to_string(bytes) + " bytes at " + hex(offset) + " of shared memory");
  }
}

std::byte* SharedMemory::access(const Warp& warp, int lane, uint64_t address, uint32_t bytes, Use use) {
  checkRange(lane, address, bytes);
  const auto offset = static_cast<uint32_t>(address - kSharedBase);
  if (checked_) {
    const uint32_t last = (offset + bytes - 1) >> granuleShift_;
    for (uint32_t index = offset >> granuleShift_; index <= last; ++index) {
      Granule& granule = granules_[index];
      const uint64_t place = static_cast<uint64_t>(index) << granuleShift_;
      if (granule.writeEpoch == kInFlight) inFlight(granule, warp, lane, use, place);
      if (use != Use::write) requireWritten(granule, lane, place);
      if (use == Use::read) read(granule, warp, lane, place);
      if (use != Use::read) write(granule, warp, lane, place, use == Use::update);
    }
  }
  return data_ + offset;
}

std::byte* SharedMemory::beginCopy(const Warp& warp, int lane, uint64_t address, uint32_t bytes) {
  std::byte* place = access(warp, lane, address, bytes, Use::write);
  if (!checked_) return place;
  const auto offset = static_cast<uint32_t>(address - kSharedBase);
  for (uint32_t index = offset >> granuleShift_; index < (offset + bytes) >> granuleShift_; ++index) {
    granules_[index].writeEpoch = kInFlight;
  }
  return place;
}

void SharedMemory::endCopy(const Warp& warp, int lane, const std::byte* place, uint32_t bytes) {
  if (!checked_) return;
  const auto offset = static_cast<uint32_t>(place - data_);
  for (uint32_t index = offset >> granuleShift_; index < (offset + bytes) >> granuleShift_; ++index) {
    granules_[index].writeEpoch = epoch_;
    granules_[index].writer = threadOf(warp, lane);
    granules_[index].writeSynchronization = warp.synchronizations;
  }
}

void SharedMemory::inFlight(const Granule& granule, const Warp& warp, int lane, Use use, uint64_t address) const {
  const bool own = granule.writer == threadOf(warp, lane);
  throw Fault(lane, verb(use) + ("shared memory at " + hex(address)) + " that a copy of " +
                        (own ? "its own" : "thread " + std::to_string(granule.writer)) +
                        " is in flight to (cp.async): " + (own ? "it" : "that thread") + " has not waited for it");
}

void SharedMemory::requireWritten(const Granule& granule, int lane, uint64_t address) const {
  if (granule.writeEpoch < blockEpoch_) {
    throw Fault(lane, "reads shared memory at " + hex(address) + " that nobody wrote");
  }
}

void SharedMemory::read(Granule& granule, const Warp& warp, int lane, uint64_t address) {
  const uint16_t thread = threadOf(warp, lane);
  if (granule.writeEpoch == epoch_ && granule.writer != thread) {
    const bool ordered = granule.writer != kUpdates && granule.writer / kLanes == warp.index &&
                         granule.writeSynchronization < warp.synchronizations;
    if (!ordered) race(lane, "reads", "wrote", granule.writer, address);
  }
  if (granule.readEpoch != epoch_) {
    granule.readEpoch = epoch_;
    granule.reader = thread;
  } else if (granule.reader != thread && granule.reader != kMany) {
    const bool sameWarp =
        (granule.reader & kWarp) ? (granule.reader & ~kWarp) == warp.index : granule.reader / kLanes == warp.index;
    granule.reader = sameWarp ? static_cast<uint16_t>(kWarp | warp.index) : kMany;
  }
  granule.readSynchronization = warp.synchronizations;
}

void SharedMemory::write(Granule& granule, const Warp& warp, int lane, uint64_t address, bool update) {
  const uint16_t thread = threadOf(warp, lane);
  if (granule.writeEpoch == epoch_ && granule.writer != thread && !(update && granule.writer == kUpdates)) {
    const bool ordered = granule.writer != kUpdates && granule.writer / kLanes == warp.index &&
                         granule.writeSynchronization < warp.synchronizations;
    if (!ordered) race(lane, "writes", "wrote", granule.writer, address);
  }
  if (granule.readEpoch == epoch_ && granule.reader != thread) {
    const bool sameWarp = granule.reader != kMany && ((granule.reader & kWarp) ? (granule.reader & ~kWarp) == warp.index
                                                                               : granule.reader / kLanes == warp.index);
    if (!sameWarp || granule.readSynchronization >= warp.synchronizations) {
      race(lane, "writes", "read", granule.reader, address);
    }
  }
  granule.writeEpoch = epoch_;
  granule.writer = update ? kUpdates : thread;
  granule.writeSynchronization = warp.synchronizations;
}

void SharedMemory::race(int lane, const char* what, const char* earlier, uint16_t who, uint64_t address) const {
  std::string other = "thread " + std::to_string(who);
  if (who == kUpdates) other = "an atomic operation";
  if (who == kMany && earlier[0] == 'r') other = "several threads";
  if (who != kMany && (who & kWarp)) other = "a thread of warp " + std::to_string(who & ~kWarp);
  throw Fault(lane, std::string("race: ") + what + " shared memory at " + hex(address) + " that " + other + " " +
                        earlier + ", with no barrier between");
}

}  // namespace alexnet::simulator
