// What the runtime's status codes mean for the process and its user, beyond the call that returned one.
#pragma once

#include <cuda_runtime_api.h>

namespace alexnet::cuda {

struct Meaning {
  bool isSticky = false;    // the GPU answers every later call of this process with it
  const char* advice = "";  // what to do about it, where there is something
};

Meaning meaningOf(cudaError_t status);

}  // namespace alexnet::cuda
