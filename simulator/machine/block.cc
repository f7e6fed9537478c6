#include "block.h"

#include <cstring>

#include "fault.h"

namespace alexnet::simulator {
namespace {

constexpr uint64_t kLoopsBeforeYield = 1 << 16;        // another warp may have to do what this one waits for
constexpr uint64_t kLoopsBeforeGivingUp = 1ULL << 32;  // of a block

size_t rounded(size_t bytes) { return (bytes + 127) / 128 * 128; }

}  // namespace

Block::Block(const Launch& launch)
    : launch_(launch),
      shared_(*launch.program, launch.dynamicSharedBytes, launch.checked),
      order_(launch.grid, (launch.block.count() + kLanes - 1) / kLanes),
      copies_(shared_, *launch.schedule, (launch.block.count() + kLanes - 1) / kLanes),
      threads_(static_cast<uint32_t>(launch.block.count())) {
  const Program& program = *launch.program;
  const size_t count = (threads_ + kLanes - 1) / kLanes;
  const size_t registerBytes = rounded(program.registerBytes), localBytes = rounded(program.localBytes);
  registers_ = std::make_unique<std::byte[]>(count * registerBytes + 128);
  local_ = std::make_unique<std::byte[]>(count * kLanes * localBytes + 128);
  predicates_.resize(count * (program.predicates + 1));
  returns_.resize(count);
  recent_.resize(program.instructions.size());
  warps_.resize(count);
  const auto aligned = [](std::byte* start) { return start + (128 - reinterpret_cast<uintptr_t>(start) % 128) % 128; };
  for (size_t i = 0; i < count; ++i) {
    Warp& warp = warps_[i];
    warp.block = this;
    warp.index = static_cast<int>(i);
    warp.registers = aligned(registers_.get()) + i * registerBytes;
    warp.local = aligned(local_.get()) + i * kLanes * localBytes;
    warp.predicates = &predicates_[i * (program.predicates + 1)];
    warp.parameters = launch.parameters.data();
    warp.returns = &returns_[i];
    for (const Constant& constant : program.constants) {
      for (int lane = 0; lane < kLanes; ++lane) {
        std::memcpy(warp.registers + constant.offset + static_cast<size_t>(lane) * constant.width, &constant.bits,
                    constant.width);
      }
    }
  }
}

Dimensions Block::threadPlace(const Warp& warp, int lane) const {
  return launch_.block.place(static_cast<uint64_t>(warp.index * kLanes + lane));
}

void Block::begin(uint64_t number) {
  number_ = number;
  place_ = launch_.grid.place(number);
  shared_.beginBlock();
  order_.beginBlock(number);
  copies_.beginBlock();
  if (launch_.counters != nullptr) launch_.counters->beginBlock();
  barriers_ = {};
  loops_ = 0;
  for (Warp& warp : warps_) {
    const uint32_t left = threads_ - static_cast<uint32_t>(warp.index) * kLanes;
    warp.live = left >= kLanes ? kAllLanes : (1U << left) - 1;
    warp.active = warp.live;
    warp.mask.set(warp.active);
    warp.pc = 0;
    warp.limit = 0xffffffffU;
    warp.state = WarpState::ready;
    warp.synchronizations = 0;
    warp.waiting = 0;
    warp.heldAt = kNowhere;
    warp.triedAgain = false;
    for (auto& returns : *warp.returns) returns.clear();
  }
}

void Block::run(uint64_t number) {
  begin(number);
  for (;;) {
    bool ran = false, finished = true;
    for (const uint32_t index : launch_.schedule->order(warps_.size())) {
      Warp& warp = warps_[index];
      if (warp.state == WarpState::ready) {
        run(warp);
        ran = true;
      }
      finished = finished && warp.state == WarpState::finished;
    }
    if (finished) return;
    if (!ran) stuck();
  }
}

void Block::run(Warp& warp) {
  const Instruction* code = launch_.program->instructions.data();
  uint8_t* reached = launch_.program->reached.data();
  Counters* counters = launch_.counters;
  running_ = &warp;
  yielded_ = false;
  while (warp.state == WarpState::ready && !yielded_) {
    const Instruction& instruction = code[warp.pc++];
    if (instruction.guard == kNoGuard) {
      reached[instruction.index] = 1;
      if (counters != nullptr) counters->execute(instruction);
      instruction.run(warp, instruction);
    } else {
      const uint32_t guard = warp.predicates[instruction.guard];
      const uint32_t bits = (instruction.guardNegated ? ~guard : guard) & warp.active;
      if (bits != 0) {
        reached[instruction.index] = 1;
        if (counters != nullptr) counters->execute(instruction);
        warp.mask.set(bits);
        instruction.run(warp, instruction);
        warp.mask.set(warp.active);
      }
    }
    if (warp.pc >= warp.limit) warp.converge();
  }
}

void Block::countLoop(Warp&) {
  ++loops_;
  if (loops_ % kLoopsBeforeYield == 0) yielded_ = true;
  if (loops_ > kLoopsBeforeGivingUp) throw Fault(-1, "a loop does not end, or waits for a block that has not run yet");
}

void Block::arrive(Warp& warp, uint32_t number, uint32_t threads, bool waits) {
  if (warp.mask.bits != warp.live) {
    const uint32_t here = warp.pc - 1;
    if (warp.heldAt == kNowhere) warp.heldAt = here;
    if (warp.waitForOthers()) return;
    throw Fault(__builtin_ctz(warp.live & ~warp.mask.bits),
                "a barrier in divergent code: only some lanes of the warp reach it");
  }
  warp.triedAgain = false;
  warp.heldAt = kNowhere;
  Barrier& barrier = barriers_[number];
  const uint32_t place = warp.pc - 1;
  if (barrier.arrived == 0) {
    barrier.place = place;
    barrier.expected = threads != 0 ? threads : static_cast<uint32_t>(warps_.size()) * kLanes;
  } else if (barrier.place != place && threads == 0) {
    throw Fault(-1, "a barrier in divergent code: other warps of the block wait at another barrier");
  }
  if (threads == 0 && warp.live != (warp.index + 1 == static_cast<int>(warps_.size()) && threads_ % kLanes != 0
                                        ? (1U << threads_ % kLanes) - 1
                                        : kAllLanes)) {
    throw Fault(-1, "a barrier that only a part of the block reaches: lanes of the warp have exited");
  }
  barrier.arrived += kLanes;
  if (waits) {
    warp.state = WarpState::atBarrier;
    warp.barrier = number;
  }
  if (barrier.arrived >= barrier.expected) release(number);
}

void Block::release(uint32_t number) {
  for (Warp& warp : warps_) {
    if (warp.state == WarpState::atBarrier && warp.barrier == number) warp.state = WarpState::ready;
  }
  barriers_[number] = {};
  shared_.barrier();
  order_.barrier();
}

void Block::stuck() {
  uint32_t waiting = 0;
  for (Warp& warp : warps_) {
    if (warp.state != WarpState::atBarrier) continue;
    ++waiting;
    running_ = &warp;
  }
  throw Fault(-1, "a barrier that only a part of the block reaches: " + std::to_string(waiting) + " of " +
                      std::to_string(warps_.size()) + " warps wait for the others, which have exited");
}

}  // namespace alexnet::simulator
