// A kernel ready to run: its PTX decoded into instructions that each work on the 32 lanes of a warp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../ptx/module.h"

namespace alexnet::simulator {

struct Warp;
struct Instruction;
using Handler = void (*)(Warp&, const Instruction&);

constexpr uint32_t kNoGuard = 0xffffffffU;

// Registers are named by the byte at which their 32 lanes begin in the warp's register file, predicates by their index.
struct Instruction {
  Handler run = nullptr;
  uint32_t destination = 0;
  uint32_t a = 0, b = 0, c = 0;
  int64_t immediate = 0;           // an offset, a target, an option: see the handler
  const uint32_t* more = nullptr;  // further registers, of vectors and matrices
  uint32_t guard = kNoGuard;       // predicate that masks it
  uint16_t count = 1;              // elements of a vector
  bool guardNegated = false;
  bool flag = false;         // see the handler
  uint32_t index = 0;        // its own place in the program
  Handler locate = nullptr;  // loads and stores: finds every lane's memory
};

// A constant that lies in the register file, 32 times.
struct Constant {
  uint32_t offset = 0;
  uint32_t width = 4;  // bytes of a lane: 4 or 8
  uint64_t bits = 0;
};

struct Program {
  std::string name;
  std::vector<Instruction> instructions;
  std::vector<ptx::Location> locations;      // of each instruction
  std::vector<std::string> texts;            // opcode of each instruction
  mutable std::vector<uint8_t> reached;      // whether any lane has run each instruction
  std::vector<std::vector<uint32_t>> lists;  // what Instruction::more points into
  std::vector<std::vector<int64_t>> tables;  // targets of brx.idx
  std::vector<Constant> constants;
  uint32_t registerBytes = 0;  // of one warp
  uint32_t predicates = 0;
  uint32_t localBytes = 0;       // of one thread: arrays and the parameters of calls
  uint32_t sharedWordBytes = 4;  // the smallest access to shared memory in it
  int maximumThreads = 0;        // of a block, 0 where the kernel does not say

  // Shared memory as the kernel declares it. Gaps between the variables catch accesses past their ends.
  struct SharedVariable {
    uint32_t offset, bytes;
  };
  std::vector<SharedVariable> sharedVariables;
  uint32_t staticSharedBytes = 0;    // as the hardware counts, without gaps
  uint32_t dynamicSharedOffset = 0;  // where the launch's dynamic shared memory begins
};

}  // namespace alexnet::simulator
