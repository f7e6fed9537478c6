// The state of a warp: 32 lanes that run the same instruction, each with its own registers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "program.h"

namespace alexnet::simulator {

class Block;

constexpr int kLanes = 32;
constexpr uint32_t kAllLanes = 0xffffffffU;
constexpr uint32_t kNowhere = 0xffffffffU;  // no place in the program

// Which lanes take part, as bits and, for loops that the compiler vectorizes, one word a lane.
struct alignas(64) Mask {
  int32_t lanes[kLanes] = {};
  uint32_t bits = 0;

  void set(uint32_t wanted) {
    if (wanted == bits) return;
    bits = wanted;
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] = static_cast<int32_t>(wanted >> lane & 1);
  }
  bool full() const { return bits == kAllLanes; }
  bool has(int lane) const { return bits >> lane & 1; }
};

template <class Body>
inline void forEachLane(uint32_t bits, Body body) {
  for (; bits; bits &= bits - 1) body(__builtin_ctz(bits));
}

enum class WarpState { ready, atBarrier, finished };

struct alignas(64) Warp {
  Mask mask;  // lanes of the current instruction
  std::byte* registers = nullptr;
  uint32_t* predicates = nullptr;
  uint32_t pc = 0;
  uint32_t limit = 0;         // the lowest place where a lane waits that is not active: active lanes must not pass it
  uint32_t active = 0;        // lanes that run now
  uint32_t live = 0;          // lanes that have not exited
  uint32_t pcs[kLanes] = {};  // where the lanes are that are not active
  Block* block = nullptr;
  int index = 0;  // in its block
  WarpState state = WarpState::ready;
  uint32_t barrier = 0;           // which barrier it waits at
  uint32_t synchronizations = 0;  // __syncwarp() so far: what the lanes wrote before is ordered before what follows
  std::byte* local = nullptr;     // local memory of all lanes, one after the other
  const std::byte* parameters = nullptr;
  std::array<std::byte*, kLanes> where{};                        // of a load or store: each lane's memory
  std::array<std::vector<uint32_t>, kLanes>* returns = nullptr;  // where each lane's calls return to

  template <class T>
  T* at(uint32_t offset) {
    return reinterpret_cast<T*>(registers + offset);
  }

  uint32_t& predicate(uint32_t number) { return predicates[number]; }

  // Writes a predicate's lanes that take part.
  void setPredicate(uint32_t number, uint32_t bits) {
    predicates[number] = (predicates[number] & ~mask.bits) | (bits & mask.bits);
  }

  // The active lanes have come to where others wait.
  void converge() {
    forEachLane(active, [&](int lane) { pcs[lane] = pc; });
    chooseNext();
  }

  // Chooses who runs next: of all live lanes that do not wait for others, those that are furthest behind.
  void chooseNext() {
    if ((live & ~waiting) == 0) {  // now those they wait for are as near as they will come
      waiting = 0;
      triedAgain = true;
    }
    uint32_t lowest = 0xffffffffU;
    forEachLane(live & ~waiting, [&](int lane) { lowest = pcs[lane] < lowest ? pcs[lane] : lowest; });
    active = 0;
    limit = 0xffffffffU;
    forEachLane(live, [&](int lane) {
      if (pcs[lane] == lowest) {
        active |= 1U << lane;
      } else if (pcs[lane] > lowest && pcs[lane] < limit) {
        limit = pcs[lane];
      }
    });
    waiting &= ~active;
    pc = lowest;
    mask.set(active);
  }

  // Puts the current instruction off until other lanes have come to it. False where they all had their chance.
  bool waitForOthers() {
    if (triedAgain) return false;
    forEachLane(active, [&](int lane) { pcs[lane] = mask.has(lane) ? pc - 1 : pc; });
    waiting |= mask.bits;
    chooseNext();
    return true;
  }

  uint32_t waiting = 0;        // lanes that wait for others at an instruction of the whole warp
  uint32_t heldAt = kNowhere;  // where the first of them wait, if that is a barrier of the block
  bool triedAgain = false;     // nobody else can run: what is put off once more will never be met
};

// Runs `value(lane)` for every lane and keeps it for those that take part. `value` must be harmless for the others.
template <class T, class Value>
inline void assign(Warp& warp, T* destination, Value value) {
  if (warp.mask.full()) {
#pragma GCC ivdep
    for (int lane = 0; lane < kLanes; ++lane) destination[lane] = value(lane);
  } else {
#pragma GCC ivdep
    for (int lane = 0; lane < kLanes; ++lane) {
      const T result = value(lane);
      destination[lane] = warp.mask.lanes[lane] ? result : destination[lane];
    }
  }
}

// One bit a lane of what `test(lane)` says.
template <class Test>
inline uint32_t collect(Test test) {
  uint32_t bits = 0;
#pragma GCC ivdep
  for (int lane = 0; lane < kLanes; ++lane) bits |= static_cast<uint32_t>(test(lane) ? 1 : 0) << lane;
  return bits;
}

}  // namespace alexnet::simulator
