// What the blocks of a launch do to each other's global memory. A GPU runs them at once or in any order: what one has
// written another may touch only where fences and atomics order them. The writer makes its writes visible with a fence and
// tells so with an atomic; the other reads that word with an atomic, and needs a fence before it looks. Atomics on a word
// are ordered among themselves. The read-only path (ld.global.nc) may not read at all what its launch writes.
//
// Writers alone are remembered: a block that writes what another one has read is found where the schedule is the other way
// round.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <unordered_map>
#include <vector>

#include "dimensions.h"
#include "memory.h"

namespace alexnet::simulator {

class LaunchOrder {
 public:
  LaunchOrder(Dimensions grid, size_t warps);

  // The block with this number runs from now on.
  void beginBlock(uint64_t number);
  // __syncthreads(): a fence that follows is one for what the whole block did before.
  void barrier();
  // __threadfence() of a warp.
  void fence(int warp);

  // Checks an access, and remembers it if it writes. Throws Fault.
  void touch(Allocation& allocation, uint64_t offset, uint32_t bytes, Use use, int warp, int lane) {
    if (isRead(use) && allocation.launch != first_) return;
    touchWords(allocation, offset, bytes, use, warp, lane);
  }

 private:
  using Blocks = std::set<uint32_t>;

  void touchWords(Allocation& allocation, uint64_t offset, uint32_t bytes, Use use, int warp, int lane);
  void requireOrder(const Allocation& allocation, uint64_t byte, Use use, int lane) const;
  uint32_t writerOf(const Allocation& allocation, uint64_t byte) const;
  void remember(Allocation& allocation, uint64_t from, uint64_t to);
  void update(uint64_t address);
  bool isReleased() const;

  // Blocks of all launches are numbered from 1 on; this one's are [first_, first_ + blocks).
  static uint32_t next_;
  Dimensions grid_;
  uint32_t first_;
  uint32_t self_ = 0;  // the running block

  std::unordered_map<uint64_t, std::array<uint32_t, 4>> bytes_;  // writers, of words that were not written as a whole
  std::unordered_map<uint64_t, Blocks> atomics_;  // words that were last written by atomics: whose writes they tell of

  std::vector<bool> unfenced_;  // of each warp: it wrote since its last fence
  bool unfencedAtBarrier_ = false;
  Blocks seen_;      // whose writes the running block may rely on
  Blocks promised_;  // the same after its next fence
};

}  // namespace alexnet::simulator
