#include "status.h"

namespace alexnet::cuda {
namespace {

constexpr const char* kOtherBuild =
    "This build has no kernels for this GPU: build it with ALEXNET_CUDA_ARCHITECTURES=release.";
constexpr const char* kDoesNotFit =
    "The kernel does not fit this GPU, and did not run. Please report it with the output of 'alexnet devices'.";
constexpr const char* kCompiles =
    "The driver compiles this build's kernels for this GPU, and could not: install the driver's newest version, or "
    "build "
    "with ALEXNET_CUDA_ARCHITECTURES=release.";
constexpr const char* kBusy =
    "Another process has the GPU for itself, or its compute mode lets nobody in: 'nvidia-smi -q -d COMPUTE' tells, "
    "'nvidia-smi -c DEFAULT' shares it.";
constexpr const char* kService =
    "The GPU is shared by NVIDIA's MPS: see whether nvidia-cuda-mps-control runs, and its log.";
constexpr const char* kHardware =
    "The GPU or its link is at fault, not the program: see nvidia-smi -q and the Xid lines of the kernel's log.";

struct Row {
  int status;  // a number: older toolkits lack the names of some
  Meaning meaning;
};

constexpr bool kSticky = true;
constexpr Row kMeanings[] = {
    {cudaErrorMemoryAllocation, {!kSticky, "Try a smaller batchSize."}},
    {cudaErrorInvalidConfiguration, {!kSticky, kDoesNotFit}},
    {cudaErrorLaunchOutOfResources, {!kSticky, kDoesNotFit}},
    // Kernels that are not there, or that the driver has to compile first.
    {cudaErrorInvalidDeviceFunction, {!kSticky, kOtherBuild}},
    {200 /* cudaErrorInvalidKernelImage */, {!kSticky, kOtherBuild}},
    {cudaErrorNoKernelImageForDevice, {!kSticky, kOtherBuild}},
    {cudaErrorUnsupportedPtxVersion, {!kSticky, kCompiles}},
    {cudaErrorInvalidPtx, {!kSticky, kCompiles}},
    {cudaErrorJitCompilerNotFound,
     {!kSticky,
      "The driver's compiler, libnvidia-ptxjitcompiler, is missing: install the whole driver, or build with "
      "ALEXNET_CUDA_ARCHITECTURES=release."}},
    {223 /* cudaErrorJitCompilationDisabled */,
     {!kSticky, "Unset CUDA_DISABLE_PTX_JIT and CUDA_DISABLE_JIT, or build with ALEXNET_CUDA_ARCHITECTURES=release."}},
    // A GPU that cannot be had.
    {cudaErrorDevicesUnavailable, {!kSticky, kBusy}},
    {216 /* cudaErrorDeviceAlreadyInUse */, {!kSticky, kBusy}},
    {cudaErrorSystemNotReady,
     {!kSticky, "A service of NVIDIA's is not running yet: on machines with NVSwitch, nvidia-fabricmanager."}},
    {805 /* cudaErrorMpsConnectionFailed */, {!kSticky, kService}},
    {807 /* cudaErrorMpsServerNotReady */, {!kSticky, kService}},
    {808 /* cudaErrorMpsMaxClientsReached */, {!kSticky, kService}},
    {809 /* cudaErrorMpsMaxConnectionsReached */, {!kSticky, kService}},
    {806 /* cudaErrorMpsRpcFailure */, {kSticky, kService}},
    {810 /* cudaErrorMpsClientTerminated */, {kSticky, kService}},
    // Hardware.
    {cudaErrorECCUncorrectable, {kSticky, kHardware}},
    {cudaErrorNvlinkUncorrectable, {kSticky, kHardware}},
    {226 /* cudaErrorContained */, {kSticky, kHardware}},
    {911 /* cudaErrorExternalDevice */, {kSticky, kHardware}},
    // A kernel that went wrong while it ran.
    {cudaErrorLaunchTimeout,
     {kSticky, "A GPU with a display ends kernels that take seconds: take another, or a smaller batchSize."}},
    {cudaErrorIllegalAddress, {kSticky}},
    {cudaErrorAssert, {kSticky}},
    {cudaErrorHardwareStackError, {kSticky}},
    {cudaErrorIllegalInstruction, {kSticky}},
    {cudaErrorMisalignedAddress, {kSticky}},
    {cudaErrorInvalidAddressSpace, {kSticky}},
    {cudaErrorInvalidPc, {kSticky}},
    {cudaErrorLaunchFailure, {kSticky}},
    {721 /* cudaErrorTensorMemoryLeak */, {kSticky}},
    {cudaErrorUnknown, {kSticky}},
};

}  // namespace

Meaning meaningOf(cudaError_t status) {
  for (const Row& row : kMeanings) {
    if (row.status == static_cast<int>(status)) return row.meaning;
  }
  return {};
}

}  // namespace alexnet::cuda
