// Gives the registers of a function their places in a warp's register file.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "../ptx/module.h"

namespace alexnet::simulator {

class RegisterFile {
 public:
  RegisterFile() = default;
  // Registers lie from byte `start`, predicates from index `firstPredicate` on.
  RegisterFile(const ptx::Function& function, uint32_t start, uint32_t firstPredicate);

  struct Place {
    uint32_t offset = 0;  // a byte, or of a predicate its index
    uint32_t width = 0;   // bytes of a lane: 4 or 8; 0 for a predicate
  };
  // Null where there is no such register.
  const Place* find(const std::string& name) const;
  uint32_t end() const { return end_; }
  uint32_t predicatesEnd() const { return predicatesEnd_; }

 private:
  std::unordered_map<std::string, Place> places_;
  uint32_t end_ = 0;
  uint32_t predicatesEnd_ = 0;
};

}  // namespace alexnet::simulator
