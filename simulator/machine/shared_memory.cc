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

void SharedMemory::outside(int lane, uint64_t address, uint32_t bytes) const {
  const uint64_t offset = address - kSharedBase;
  const bool inside =
      address >= kSharedBase && offset + bytes <= bytes_ && valid_[offset] && valid_[offset + bytes - 1];
  const std::string what = std::to_string(bytes) + " bytes at " + hex(offset) + " of shared memory";
  throw Fault(lane, inside ? "misaligned: " + what : what + " are outside its variables");
}

inline bool SharedMemory::followsWrite(const Granule& granule, const Now& now) {
  return granule.writer != kUpdates && granule.writer / kLanes == now.warp &&
         granule.writeSynchronization < now.synchronizations;
}

inline void SharedMemory::read(Granule& granule, const Now& now, int lane) const {
  if (granule.writeEpoch == now.epoch && granule.writer != now.thread && !followsWrite(granule, now)) {
    race(granule, lane, "reads", "wrote", granule.writer);
  }
  if (granule.readEpoch != now.epoch) {
    granule.readEpoch = now.epoch;
    granule.reader = now.thread;
  } else if (granule.reader != now.thread && granule.reader != kMany) {
    const bool sameWarp =
        (granule.reader & kWarp) ? (granule.reader & ~kWarp) == now.warp : granule.reader / kLanes == now.warp;
    granule.reader = sameWarp ? static_cast<uint16_t>(kWarp | now.warp) : kMany;
  }
  granule.readSynchronization = now.synchronizations;
}

inline void SharedMemory::write(Granule& granule, const Now& now, int lane, bool update) const {
  const bool bothUpdate = update && granule.writer == kUpdates;
  if (granule.writeEpoch == now.epoch && granule.writer != now.thread && !bothUpdate && !followsWrite(granule, now)) {
    race(granule, lane, "writes", "wrote", granule.writer);
  }
  if (granule.readEpoch == now.epoch && granule.reader != now.thread) {
    const bool sameWarp = granule.reader != kMany && ((granule.reader & kWarp) ? (granule.reader & ~kWarp) == now.warp
                                                                               : granule.reader / kLanes == now.warp);
    if (!sameWarp || granule.readSynchronization >= now.synchronizations) {
      race(granule, lane, "writes", "read", granule.reader);
    }
  }
  granule.writeEpoch = now.epoch;
  granule.writer = update ? kUpdates : now.thread;
  granule.writeSynchronization = now.synchronizations;
}

template <Use use>
std::byte* SharedMemory::access(const Warp& warp, int lane, uint64_t address, uint32_t bytes) {
  const uint64_t offset = address - kSharedBase;  // of addresses below the base one that is too large
  const bool inside = offset < bytes_ && bytes <= bytes_ - offset && valid_[offset] && valid_[offset + bytes - 1];
  const bool aligned = (address & (bytes - 1)) == 0;  // bytes: a power of two
  if (!inside || !aligned) outside(lane, address, bytes);
  if (checked_) {
    const Now now{epoch_, blockEpoch_, warp.synchronizations, threadOf(warp, lane), static_cast<uint16_t>(warp.index)};
    Granule* granule = &granules_[offset >> granuleShift_];
    const Granule* const last = &granules_[(offset + bytes - 1) >> granuleShift_];
    for (; granule <= last; ++granule) {
      const bool writtenOrFlying = granule->writeEpoch >= now.blockEpoch;
      if ((use != Use::write && !writtenOrFlying) || granule->writeEpoch == kInFlight) {
        untouchable(*granule, now, lane, use);
      }
      if constexpr (use == Use::read) read(*granule, now, lane);
      if constexpr (use != Use::read) write(*granule, now, lane, use == Use::update);
    }
  }
  return data_ + offset;
}

template std::byte* SharedMemory::access<Use::read>(const Warp&, int, uint64_t, uint32_t);
template std::byte* SharedMemory::access<Use::write>(const Warp&, int, uint64_t, uint32_t);
template std::byte* SharedMemory::access<Use::update>(const Warp&, int, uint64_t, uint32_t);

std::byte* SharedMemory::beginCopy(const Warp& warp, int lane, uint64_t address, uint32_t bytes) {
  std::byte* place = access<Use::write>(warp, lane, address, bytes);
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

uint64_t SharedMemory::placeOf(const Granule& granule) const {
  return static_cast<uint64_t>(&granule - granules_.data()) << granuleShift_;
}

void SharedMemory::untouchable(const Granule& granule, const Now& now, int lane, Use use) const {
  const std::string place = "shared memory at " + hex(placeOf(granule));
  if (granule.writeEpoch != kInFlight) throw Fault(lane, "reads " + place + " that nobody wrote");
  const bool own = granule.writer == now.thread;
  throw Fault(lane, verb(use) + place + " that a copy of " +
                        (own ? "its own" : "thread " + std::to_string(granule.writer)) +
                        " is in flight to (cp.async): " + (own ? "it" : "that thread") + " has not waited for it");
}

void SharedMemory::race(const Granule& granule, int lane, const char* what, const char* earlier, uint16_t who) const {
  std::string other = "thread " + std::to_string(who);
  if (who == kUpdates) other = "an atomic operation";
  if (who == kMany && earlier[0] == 'r') other = "several threads";
  if (who != kMany && (who & kWarp)) other = "a thread of warp " + std::to_string(who & ~kWarp);
  throw Fault(lane, std::string("race: ") + what + " shared memory at " + hex(placeOf(granule)) + " that " + other +
                        " " + earlier + ", with no barrier between");
}

}  // namespace alexnet::simulator
