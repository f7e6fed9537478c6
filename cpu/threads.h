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

// The least of what affinity, the cores online, the control group's CPU quota and OpenMP's variables allow.
ThreadLimit threadLimit();

}  // namespace alexnet::cpu
