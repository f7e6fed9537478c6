// What the control groups of this process (versions 1 and 2, its own and those above) leave it of the machine, as
// containers and services are limited.
#pragma once

#include <cstdint>
#include <string>

namespace alexnet::cpu {

struct GroupLimits {
  double cores;        // the CPU quota, infinite without one
  int64_t memory;      // the least limit in bytes, the largest number without one
  int64_t freeMemory;  // the least that is left below a limit; what the system would drop for us counts as left
};

// `root` is where the system's /proc and /sys/fs/cgroup are: made-up ones in tests.
GroupLimits groupLimits(const std::string& root = "");

}  // namespace alexnet::cpu
