// Copies from global to shared memory that threads have issued and not waited for (cp.async).
//
// When their bytes land is open: under the schedule `forward` at the wait, under `reverse` at once, else for each copy by
// chance. They are read from global memory when they land. Until the issuing thread's wait the destination is in flight
// (SharedMemory); from then on the bytes are that thread's write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "schedule.h"
#include "shared_memory.h"

namespace alexnet::simulator {

class AsyncCopies {
 public:
  AsyncCopies(SharedMemory& shared, Schedule& schedule, size_t warps) : shared_(shared), schedule_(schedule) {
    threads_.resize(warps * 32);
  }

  void beginBlock() {
    for (Thread& thread : threads_) thread = {};
  }
  // `bytes` to shared address `to`: `sourceBytes` of `from`, then zeros. Throws Fault.
  void issue(const Warp& warp, int lane, uint64_t to, uint32_t bytes, const std::byte* from, uint32_t sourceBytes);
  // What the thread has issued since its last group becomes one.
  void commit(const Warp& warp, int lane) { ++threadOf(warp, lane).groups; }
  // Until no more than the thread's last `pending` groups are under way.
  void waitGroups(const Warp& warp, int lane, uint32_t pending);
  void waitAll(const Warp& warp, int lane);
  // Throws Fault where a thread ends without having waited.
  void requireNone(const Warp& warp, int lane);

 private:
  struct Copy {
    std::byte* to;
    const std::byte* from;
    uint32_t bytes, sourceBytes;
    uint32_t group;  // of the thread's, from 0
    bool landed;
  };
  struct Thread {
    std::vector<Copy> copies;  // in the order of issue
    uint32_t groups = 0;       // committed so far
  };

  Thread& threadOf(const Warp& warp, int lane);
  static void land(const Copy& copy);
  // Ends the copies of groups before this one.
  void end(const Warp& warp, int lane, uint32_t group);

  SharedMemory& shared_;
  Schedule& schedule_;
  std::vector<Thread> threads_;
};

}  // namespace alexnet::simulator
