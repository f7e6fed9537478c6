// Turns a kernel's PTX into a Program. instructions/ does it for each statement, with what this offers.
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "program.h"
#include "register_file.h"

namespace alexnet::simulator {

// Names the instruction, the kernel and the source line.
class DecodeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Where a module's variable lies on the device.
using AddressOf = std::function<uint64_t(const ptx::Variable&)>;

// Generic addresses of these spaces, by their highest bits; all others are global.
constexpr uint64_t kSharedWindow = 1ULL << 60;
constexpr uint64_t kLocalWindow = 2ULL << 60;
constexpr uint64_t kParameterWindow = 3ULL << 60;
constexpr uint64_t kWindowMask = 7ULL << 60;

class Decoder {
 public:
  Decoder(const ptx::Module& module, int computeCapability, AddressOf addressOf);

  Program decode(const std::string& kernel);

  // --- For instructions: operands of the statement being decoded ---

  // Register or constant to read. Immediates become constants of `type`'s width.
  uint32_t source(const ptx::Operand& operand, ptx::Type type);
  uint32_t destination(const ptx::Operand& operand);
  // Index of a predicate register; of a constant one for an immediate 0 or 1.
  uint32_t predicate(const ptx::Operand& operand);
  bool isPredicate(const ptx::Operand& operand) const;
  // Bytes of a lane of a register: 4 or 8. Of an immediate, the width that `type` asks for.
  uint32_t width(const ptx::Operand& operand, ptx::Type type = ptx::Type::b32) const;
  // Sets a, immediate and flag to the base register, the offset, and whether the base has 64 bits.
  void address(const ptx::Operand& operand, Instruction& instruction);
  uint32_t constant(uint64_t bits, uint32_t width);
  const uint32_t* list(std::vector<uint32_t> registers);
  int64_t label(const std::string& name) const;
  std::vector<int64_t> branchTargets(const std::string& name) const;
  void addTable(std::vector<int64_t> targets);
  size_t tables() const { return program_.tables.size(); }
  // Offset in the thread's local memory of a local array, or of a parameter of a function or call. -1: no such name.
  int64_t localOffset(const std::string& name) const;
  // Offset in the kernel's parameters, -1 where the name is none of them.
  int64_t parameterOffset(const std::string& name) const;
  const ptx::Function* callee(const std::string& name) const;
  uint32_t entryOf(const ptx::Function& function) const { return layouts_.at(function.name).first; }
  int64_t localOffsetIn(const ptx::Function& function, const std::string& name) const;
  void placeLocal(const std::string& name, int64_t offset) { layouts_.at(function_->name).locals[name] = offset; }
  void noteSharedAccess(uint32_t bytes);
  void require(bool condition, const std::string& what) const;
  void requireCapability(int capability) const;
  [[noreturn]] void fail(const std::string& what) const;
  const ptx::Statement& statement() const { return *statement_; }
  int computeCapability() const { return computeCapability_; }

 private:
  struct Layout {
    uint32_t first = 0;  // place of its first instruction
    RegisterFile registers;
    std::unordered_map<std::string, int64_t> locals;
  };

  void layOut(const ptx::Function& function);
  void layOutShared();
  void decodeFunction(const ptx::Function& function);
  bool symbolAddress(const std::string& name, uint64_t& address) const;

  const ptx::Module& module_;
  int computeCapability_;
  AddressOf addressOf_;
  Program program_;
  std::vector<const ptx::Function*> functions_;
  std::map<std::string, Layout> layouts_;
  std::unordered_map<std::string, int64_t> parameters_;
  std::unordered_map<std::string, uint64_t> shared_;
  std::map<std::pair<uint64_t, uint32_t>, uint32_t> constants_;
  const ptx::Function* function_ = nullptr;
  const Layout* layout_ = nullptr;
  const ptx::Statement* statement_ = nullptr;
  uint32_t placed_ = 0;
};

// "cuda/kernels/lrn.cu:52"; of an inlined function "cuda/runtime/vector.cuh:32 from cuda/kernels/lrn.cu:52".
std::string describe(const ptx::Location& location, const ptx::Module& module);
// "lrnForwardKernel<float, 2, true>": without namespaces and parameters.
std::string readableName(const std::string& mangled);

}  // namespace alexnet::simulator
