// Turns what the CUDA runtime returns into errors that name the call.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "../../core/error.h"

namespace alexnet::cuda {

// ALEXNET_SYNC=1: wait for every launch, so that an error is reported where it arises.
bool synchronousLaunches();

// "cudaMalloc on cuda:1: out of memory (cudaErrorMemoryAllocation). Try a smaller batchSize." After a sticky status the
// GPU is lost, and every later message about it repeats the first.
[[noreturn]] void fail(cudaError_t status, const char* call);

// `call` is the runtime's function, or the kernel that was launched.
inline void check(cudaError_t status, const char* call) {
  if (status != cudaSuccess) fail(status, call);
}

// A GPU that has failed, or that waits for one which has. Nothing is given back to it: that would wait for ever, and the
// memory goes with the process.
bool isLost(int gpu);
// Notes that a GPU is lost, and why. Returns the message: the first, or one that repeats it.
std::string lose(int gpu, const std::string& reason);

}  // namespace alexnet::cuda
