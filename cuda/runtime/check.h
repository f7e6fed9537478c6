// Turns what the CUDA runtime returns into errors that name the call.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdlib>
#include <mutex>
#include <string>

#include "../../core/error.h"

namespace alexnet::cuda {

// ALEXNET_SYNC=1: wait for every launch, so that an error is reported where it arises.
inline bool synchronousLaunches() {
  static const bool asked = [] {
    const char* const value = std::getenv("ALEXNET_SYNC");
    return value && std::string(value) == "1";
  }();
  return asked;
}

// After one of these the runtime answers every call of this process with the same error.
inline bool isSticky(cudaError_t status) {
  switch (status) {
    case cudaErrorIllegalAddress:
    case cudaErrorIllegalInstruction:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorMisalignedAddress:
    case cudaErrorHardwareStackError:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorECCUncorrectable: return true;
    default: return false;
  }
}

// What to do about it, where there is something.
inline std::string adviceFor(cudaError_t status) {
  switch (status) {
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidDeviceFunction:
    case cudaErrorUnsupportedPtxVersion:
      return " This build has no kernels for this GPU: build it with ALEXNET_CUDA_ARCHITECTURES=release.";
    case cudaErrorMemoryAllocation: return " Try a smaller batchSize.";
    case cudaErrorLaunchOutOfResources:
    case cudaErrorInvalidConfiguration:
      return " The kernel does not fit this GPU, and did not run. Please report it with the output of 'alexnet "
             "devices'.";
    default: break;
  }
  if (!isSticky(status) || synchronousLaunches()) return "";
  return " A kernel that was launched before may be the culprit: ALEXNET_SYNC=1 finds it.";
}

// " on cuda:1", the calling thread's GPU; nothing where there is none.
inline std::string onCurrentGpu() {
  int gpu = 0;
  if (cudaGetDevice(&gpu) == cudaSuccess) return " on cuda:" + std::to_string(gpu);
  cudaGetLastError();
  return "";
}

// The message of a sticky error. The process keeps the first: every later one only repeats it.
inline std::string messageOfSticky(const std::string& text) {
  static std::mutex mutex;
  static auto* const first = new std::string;  // never destroyed: work may fail while the process ends
  const std::lock_guard<std::mutex> lock(mutex);
  if (!first->empty()) {
    return "No GPU works in this process any more, since an earlier error: " + *first + " Restart the process.";
  }
  *first = text;
  return text + " No GPU works in this process any more: restart it.";
}

[[noreturn]] inline void fail(cudaError_t status, const char* call) {
  cudaGetLastError();  // clears the error, or the next launch would be blamed for it
  const std::string text = call + onCurrentGpu() + ": " + cudaGetErrorString(status) + " (" + cudaGetErrorName(status) +
                           ")." + adviceFor(status);
  if (isSticky(status)) throw Error(kOperation, messageOfSticky(text));
  throw Error(status == cudaErrorMemoryAllocation ? kMemory : kOperation, text);
}

// `call` is the runtime's function, or the kernel that was launched.
inline void check(cudaError_t status, const char* call) {
  if (status != cudaSuccess) fail(status, call);
}

}  // namespace alexnet::cuda
