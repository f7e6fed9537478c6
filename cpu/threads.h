// How many threads the CPU device may use.
#pragma once

#include <string>

namespace alexnet::cpu {

// Cores that this process may run on.
int cores();

struct ThreadLimit {
  int threads;
  std::string by;  // what allows no more than that; empty where it is the machine
};

// The least of what affinity, the control group's CPU quota and OpenMP's variables allow. More threads than OpenMP starts
// would let oneDNN wait for ever for those that do not come.
ThreadLimit threadLimit();

}  // namespace alexnet::cpu
