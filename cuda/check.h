// Turns what the CUDA runtime returns into errors that name the call.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "../core/error.h"

namespace alexnet::cuda {

// `call` is the runtime's function, or the kernel that was launched.
inline void check(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // the runtime remembers the error; forgotten here, it is not blamed on the next launch
  throw Error(status == cudaErrorMemoryAllocation ? kMemory : kOperation,
              std::string(call) + ": " + cudaGetErrorString(status) + " (" + cudaGetErrorName(status) + ").");
}

}  // namespace alexnet::cuda
