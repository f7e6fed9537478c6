// Runs the blocks of a launch, one after the other, each warp until a barrier.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "async_copies.h"
#include "counters.h"
#include "dimensions.h"
#include "launch_order.h"
#include "memory.h"
#include "program.h"
#include "schedule.h"
#include "shared_memory.h"
#include "warp.h"

namespace alexnet::simulator {

// A kernel about to run.
struct Launch {
  const Program* program = nullptr;
  Dimensions grid, block;
  uint32_t dynamicSharedBytes = 0;
  std::vector<std::byte> parameters;
  Memory* memory = nullptr;
  Schedule* schedule = nullptr;
  int device = 0;
  int multiprocessors = 1;
  bool checked = true;           // looks for races and for memory that nobody wrote
  Counters* counters = nullptr;  // of what it asks of the machine, where that is wanted
};

class Block {
 public:
  explicit Block(const Launch& launch);

  // Runs the block with this number, x fastest. Throws Fault; where() and threadOf() then tell of it.
  void run(uint64_t number);

  const Launch& launch() const { return launch_; }
  SharedMemory& shared() { return shared_; }
  LaunchOrder& order() { return order_; }
  AsyncCopies& copies() { return copies_; }
  Dimensions place() const { return place_; }
  uint64_t number() const { return number_; }
  const Warp& running() const { return *running_; }
  Dimensions threadPlace(const Warp& warp, int lane) const;
  uint32_t threads() const { return threads_; }
  // The allocation that an instruction used last.
  Allocation*& recent(const Instruction& instruction) { return recent_[instruction.index]; }

  // For instructions.
  void arrive(Warp& warp, uint32_t barrier, uint32_t threads, bool waits);
  void countLoop(Warp& warp);

 private:
  struct Barrier {
    uint32_t arrived = 0;   // threads
    uint32_t expected = 0;  // threads
    uint32_t place = 0;     // of the first instruction that reached it
  };

  void begin(uint64_t number);
  void run(Warp& warp);
  void release(uint32_t barrier);
  [[noreturn]] void stuck();

  const Launch& launch_;
  SharedMemory shared_;
  LaunchOrder order_;
  AsyncCopies copies_;
  uint32_t threads_;
  std::vector<Warp> warps_;
  std::unique_ptr<std::byte[]> registers_, local_;
  std::vector<uint32_t> predicates_;
  std::vector<std::array<std::vector<uint32_t>, kLanes>> returns_;
  std::vector<Allocation*> recent_;
  std::array<Barrier, 16> barriers_;
  Dimensions place_;
  uint64_t number_ = 0;
  uint64_t loops_ = 0;
  Warp* running_ = nullptr;
  bool yielded_ = false;
};

}  // namespace alexnet::simulator
