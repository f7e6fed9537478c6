// Turns what the CUDA runtime returns into errors that name the call.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdlib>
#include <string>

#include "../core/error.h"

namespace alexnet::cuda {

// ALEXNET_SYNC=1: every launch is waited for, so that an error is reported where it arises.
inline bool synchronousLaunches() {
  static const bool asked = [] {
    const char* const value = std::getenv("ALEXNET_SYNC");
    return value && std::string(value) == "1";
  }();
  return asked;
}

// After one of these the runtime answers every call for this GPU with the same error until the process ends.
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
      return " This build has no kernels for this GPU: build it with ALEXNET_CUDA_ARCHITECTURES=native.";
    default: break;
  }
  if (!isSticky(status)) return "";
  return std::string(" This GPU stays unusable until the process is restarted.") +
         (synchronousLaunches() ? "" : " An earlier kernel may be the culprit: ALEXNET_SYNC=1 finds the first.");
}

// `call` is the runtime's function, or the kernel that was launched.
inline void check(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // the runtime remembers the error; forgotten here, it is not blamed on the next launch
  throw Error(status == cudaErrorMemoryAllocation ? kMemory : kOperation,
              std::string(call) + ": " + cudaGetErrorString(status) + " (" + cudaGetErrorName(status) + ")." +
                  adviceFor(status));
}

}  // namespace alexnet::cuda
