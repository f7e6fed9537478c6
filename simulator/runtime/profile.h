// The GPUs that can be simulated, as far as programs can tell them apart.
#pragma once

#include <cstddef>

namespace alexnet::simulator {

struct Profile {
  int computeCapability;
  const char* name;
  int multiprocessors;
  size_t sharedBytesPerBlock;  // that a kernel may opt in to
  size_t sharedBytesPerProcessor;
};

// By ALEXNET_SIMULATED_PROFILE (70, 75, 80, 86, 89, 90 or 120; 80 without it) and ALEXNET_SIMULATED_PROCESSORS.
const Profile& profile();

}  // namespace alexnet::simulator
