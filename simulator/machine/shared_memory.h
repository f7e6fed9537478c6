// The shared memory of a block, with what is needed to find races in it.
//
// For every granule (the kernel's smallest access, at most 4 bytes) it knows who wrote and who read it since the last
// barrier. Two accesses of different threads between the same barriers, one of them a write, are a race, unless both
// threads are of one warp with a __syncwarp() in between. Bytes that a copy is in flight to (cp.async) nobody may touch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory.h"
#include "program.h"

namespace alexnet::simulator {

struct Warp;

class SharedMemory {
 public:
  // For a launch's blocks: they run one after the other in the same memory.
  SharedMemory(const Program& program, uint32_t dynamicBytes, bool checked);

  void beginBlock();
  // A barrier of the block: what was done before it is ordered before what follows.
  void barrier() { ++epoch_; }

  // The memory of an access, after checking it; throws Fault.
  template <Use use>
  std::byte* access(const Warp& warp, int lane, uint64_t address, uint32_t bytes);
  // The memory that a thread's copy will write, in flight from now on; throws Fault.
  std::byte* beginCopy(const Warp& warp, int lane, uint64_t address, uint32_t bytes);
  // The thread has waited for it: a write of its own.
  void endCopy(const Warp& warp, int lane, const std::byte* place, uint32_t bytes);

 private:
  struct Granule {
    uint32_t writeEpoch = 0;  // less than blockEpoch_: not written in this block; kInFlight
    uint32_t readEpoch = 0;
    uint32_t writeSynchronization = 0;  // the writer's warp's count of __syncwarp()
    uint32_t readSynchronization = 0;
    uint16_t writer = 0;  // thread of the block, or kUpdates
    uint16_t reader = 0;  // thread of the block, or kWarp + warp, or kMany
  };

  // What an access of a granule is compared with: kept in registers, while granules are written.
  struct Now {
    uint32_t epoch, blockEpoch, synchronizations;
    uint16_t thread, warp;
  };

  void read(Granule& granule, const Now& now, int lane) const;
  void write(Granule& granule, const Now& now, int lane, bool update) const;
  // Whether what the granule's writer wrote since the last barrier is ordered before what the thread does.
  static bool followsWrite(const Granule& granule, const Now& now);

  [[noreturn]] void outside(int lane, uint64_t address, uint32_t bytes) const;
  [[noreturn]] void untouchable(const Granule& granule, const Now& now, int lane, Use use) const;
  [[noreturn]] void race(const Granule& granule, int lane, const char* what, const char* earlier, uint16_t who) const;
  uint64_t placeOf(const Granule& granule) const;

  std::vector<std::byte> storage_;
  std::byte* data_;
  uint32_t bytes_;
  uint32_t granuleShift_;
  bool checked_;
  std::vector<uint8_t> valid_;  // of each byte: part of a variable
  std::vector<Granule> granules_;
  uint32_t epoch_ = 1;
  uint32_t blockEpoch_ = 1;
};

// Shared addresses begin here, so that 0 is no address.
constexpr uint32_t kSharedBase = 1024;

}  // namespace alexnet::simulator
