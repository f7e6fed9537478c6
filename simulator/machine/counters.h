// What a kernel asks of the machine, counted while it runs: instructions, wavefronts of shared memory, sectors of global
// memory. See README.md for what each is.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "memory.h"
#include "program.h"
#include "warp.h"

namespace alexnet::simulator {

class Counters {
 public:
  struct Access {
    uint64_t counted = 0, ideal = 0;
  };
  // Of an instruction, in all warps.
  struct Count {
    uint64_t executed = 0;
    Access wavefronts, sectors;
  };
  // 32-byte sectors of which each counts once.
  struct Distinct {
    uint64_t readByBlocks = 0;  // once for each block that reads it
    uint64_t read = 0, written = 0;
  };

  explicit Counters(const Program& program) : counts_(program.instructions.size()) {}

  void beginLaunch();
  void beginBlock() { ++block_; }
  void execute(const Instruction& instruction) { ++counts_[instruction.index].executed; }
  // Lanes of `mask` each touch `bytes` at shared addresses.
  void touchShared(const Instruction& instruction, uint32_t mask, const uint64_t (&addresses)[kLanes], uint32_t bytes);
  // Lanes of `mask` each touch their number of bytes, one sector's at most, at global addresses.
  void touchGlobal(const Instruction& instruction, uint32_t mask, const uint64_t (&addresses)[kLanes],
                   const uint32_t (&bytes)[kLanes]);
  // The distinct ones among them.
  void touchSector(const Allocation& allocation, uint64_t offset, Use use);

  uint64_t launches() const { return launches_; }
  const std::vector<Count>& counts() const { return counts_; }
  const Distinct& distinct() const { return distinct_; }

 private:
  struct Sector {
    uint32_t reader = 0;  // the last block that read it, 0 for none
    bool written = false;
  };

  std::vector<Count> counts_;
  Distinct distinct_;
  std::unordered_map<uint64_t, std::vector<Sector>> sectors_;  // of the running launch, by the allocation's address
  std::vector<Sector>* recent_ = nullptr;
  uint64_t recentBase_ = 0;
  uint64_t launches_ = 0;
  uint32_t block_ = 0;
};

}  // namespace alexnet::simulator
