// What kernels ask of the machine, for tables and for tests that compare it with what is possible.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "../machine/block.h"

namespace alexnet::simulator {

class Machine;
struct Kernel;

// Counters of every kernel and shape that it was launched with. Where ALEXNET_SIMULATED_COUNTERS names a folder, this
// process leaves a file there when it ends.
class CounterFiles {
 public:
  CounterFiles();
  // Null where nothing is to be counted.
  Counters* of(Kernel& kernel, const Launch& launch);
  // Writes what was counted until now.
  void write(Machine& machine) const;

 private:
  struct Counted {
    Kernel* kernel;
    Launch launch;
    Counters counters;
  };
  using Shape = std::vector<uint64_t>;
  std::string folder_;
  std::map<std::pair<std::string, Shape>, Counted> counted_;
};

}  // namespace alexnet::simulator
