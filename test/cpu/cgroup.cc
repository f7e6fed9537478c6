// Prints what cpu/cgroup.cc makes of the folders that it is given: cores, memory, free memory.
#include "../../cpu/cgroup.h"

#include <cinttypes>
#include <cstdio>

int main(int count, char** roots) {
  for (int i = 1; i < count; ++i) {
    const alexnet::cpu::GroupLimits limits = alexnet::cpu::groupLimits(roots[i]);
    std::printf("%g %" PRId64 " %" PRId64 "\n", limits.cores, limits.memory, limits.freeMemory);
  }
}
