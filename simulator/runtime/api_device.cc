// The runtime's functions about devices, errors and kernels.
#include <cstdio>
#include <cstring>

#include "api.h"

namespace alexnet::simulator {
thread_local int currentDevice = 0;
thread_local cudaError_t lastError = cudaSuccess;

namespace {

struct ErrorText {
  cudaError_t status;
  const char* name;
  const char* text;
};
constexpr ErrorText kErrors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidPtx, "cudaErrorInvalidPtx", "a PTX JIT compilation failed"},
    {cudaErrorNoKernelImageForDevice, "cudaErrorNoKernelImageForDevice",
     "no kernel image is available for execution on the device"},
    {cudaErrorInvalidDeviceFunction, "cudaErrorInvalidDeviceFunction", "invalid device function"},
    {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "unspecified launch failure"},
    {cudaErrorIllegalAddress, "cudaErrorIllegalAddress", "an illegal memory access was encountered"},
    {cudaErrorLaunchOutOfResources, "cudaErrorLaunchOutOfResources", "too many resources requested for launch"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver",
     "CUDA driver version is insufficient for CUDA runtime version"},
    {cudaErrorInitializationError, "cudaErrorInitializationError", "initialization error"},
    {cudaErrorSystemDriverMismatch, "cudaErrorSystemDriverMismatch",
     "system has unsupported display driver / cuda driver combination"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorPeerAccessAlreadyEnabled, "cudaErrorPeerAccessAlreadyEnabled", "peer access is already enabled"},
    {cudaErrorPeerAccessNotEnabled, "cudaErrorPeerAccessNotEnabled", "peer access has not been enabled"},
    {cudaErrorTooManyPeers, "cudaErrorTooManyPeers", "peer mapping resources exhausted"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorPeerAccessUnsupported, "cudaErrorPeerAccessUnsupported",
     "peer access is not supported between these two devices"},
    {cudaErrorNotSupported, "cudaErrorNotSupported", "operation not supported"},
    {cudaErrorMissingConfiguration, "cudaErrorMissingConfiguration", "__global__ function call is not configured"},
};

const ErrorText* textOf(cudaError_t status) {
  for (const ErrorText& error : kErrors) {
    if (error.status == status) return &error;
  }
  return nullptr;
}

Kernel* kernelOf(Machine& machine, const void* host) {
  const auto found = machine.kernels.find(host);
  return found == machine.kernels.end() ? nullptr : found->second.get();
}

}  // namespace
}  // namespace alexnet::simulator

using namespace alexnet::simulator;

extern "C" {

cudaError_t cudaGetLastError() {
  const std::lock_guard<Turns> lock(Machine::instance().mutex);
  const cudaError_t status = lastError;
  lastError = Machine::instance().stateOf(currentDevice);
  return status;
}
const char* cudaGetErrorName(cudaError_t status) {
  const ErrorText* error = textOf(status);
  return error == nullptr ? "unrecognized error code" : error->name;
}
// Of what the simulator found itself, its own report.
const char* cudaGetErrorString(cudaError_t status) {
  thread_local std::string report;
  {
    const std::lock_guard<Turns> lock(Machine::instance().mutex);
    report = Machine::instance().reportOf(status);
  }
  if (!report.empty()) return report.c_str();
  const ErrorText* error = textOf(status);
  return error == nullptr ? "unrecognized error code" : error->text;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = Machine::instance().devices;
  return *count > 0 ? cudaSuccess : answer(cudaErrorNoDevice);
}
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= Machine::instance().devices) return answer(cudaErrorInvalidDevice);
  currentDevice = device;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = currentDevice;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  const Machine& machine = Machine::instance();
  if (device < 0 || device >= machine.devices) return answer(cudaErrorInvalidDevice);
  std::memset(properties, 0, sizeof(*properties));
  std::snprintf(properties->name, sizeof(properties->name), "%s", profile().name);
  properties->major = profile().computeCapability / 10;
  properties->minor = profile().computeCapability % 10;
  properties->totalGlobalMem = machine.memoryBytes;
  properties->multiProcessorCount = profile().multiprocessors;
  properties->sharedMemPerBlock = 49152;
  properties->sharedMemPerBlockOptin = profile().sharedBytesPerBlock;
  properties->sharedMemPerMultiprocessor = profile().sharedBytesPerProcessor;
  properties->warpSize = 32;
  properties->maxThreadsPerBlock = 1024;
  properties->maxThreadsPerMultiProcessor = 1024;
  properties->regsPerBlock = 65536;
  properties->maxGridSize[0] = 2147483647;
  properties->maxGridSize[1] = properties->maxGridSize[2] = 65535;
  properties->unifiedAddressing = 1;
  properties->pciBusID = device + 1;
  return cudaSuccess;
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  *can = Machine::instance().peers && device != peer;
  return cudaSuccess;
}
cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned) {
  return guarded([&](Machine& machine) {
    if (!machine.peers || peer == currentDevice) return cudaErrorPeerAccessUnsupported;
    if (machine.memory.hasPeer(currentDevice, peer)) return cudaErrorPeerAccessAlreadyEnabled;
    if (machine.onePeerRefuses && machine.memory.hasPeer(peer, currentDevice)) return cudaErrorTooManyPeers;
    machine.memory.setPeer(currentDevice, peer, true);
    machine.trace("lets in: " + deviceName(currentDevice) + " reaches " + deviceName(peer));
    return cudaSuccess;
  });
}
cudaError_t cudaDeviceDisablePeerAccess(int peer) {
  return guarded([&](Machine& machine) {
    if (!machine.memory.hasPeer(currentDevice, peer)) return cudaErrorPeerAccessNotEnabled;
    machine.memory.setPeer(currentDevice, peer, false);
    machine.trace("keeps out: " + deviceName(currentDevice) + " reaches " + deviceName(peer) + " no more");
    return cudaSuccess;
  });
}

cudaError_t cudaFuncSetAttribute(const void* host, cudaFuncAttribute attribute, int value) {
  return guarded([&](Machine& machine) {
    Kernel* kernel = kernelOf(machine, host);
    if (kernel == nullptr) return cudaErrorInvalidDeviceFunction;
    if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
    const size_t wanted = static_cast<size_t>(value) + machine.programOf(*kernel, currentDevice).staticSharedBytes;
    if (value < 0 || wanted > profile().sharedBytesPerBlock) return cudaErrorInvalidValue;
    kernel->optedInSharedBytes[currentDevice] = static_cast<size_t>(value);
    return cudaSuccess;
  });
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* host) {
  return guarded([&](Machine& machine) {
    Kernel* kernel = kernelOf(machine, host);
    if (kernel == nullptr) return cudaErrorInvalidDeviceFunction;
    if (machine.moduleFor(*kernel->image) == nullptr) return cudaErrorNoKernelImageForDevice;
    const Program& program = machine.programOf(*kernel, currentDevice);
    const size_t optedIn = kernel->optedInSharedBytes[currentDevice];
    std::memset(attributes, 0, sizeof(*attributes));
    attributes->sharedSizeBytes = program.staticSharedBytes;
    attributes->maxThreadsPerBlock = program.maximumThreads != 0 ? program.maximumThreads : 1024;
    attributes->maxDynamicSharedSizeBytes =
        static_cast<int>(std::max<size_t>(optedIn, 49152 - program.staticSharedBytes));
    attributes->ptxVersion = attributes->binaryVersion = machine.moduleFor(*kernel->image)->target;
    return cudaSuccess;
  });
}

cudaError_t cudaLaunchKernel(const void* host, dim3 grid, dim3 block, void** arguments, size_t sharedBytes,
                             cudaStream_t stream) {
  return guarded([&](Machine& machine) {
    Kernel* kernel = kernelOf(machine, host);
    if (kernel == nullptr) return cudaErrorInvalidDeviceFunction;
    Stream* queue = streamOf(machine, stream);
    if (queue->device != currentDevice) {
      return machine.refuse(cudaErrorInvalidResourceHandle, readableName(kernel->name) +
                                                                " cannot be launched on a stream of " +
                                                                deviceName(queue->device) + ": " +
                                                                deviceName(currentDevice) + " is the current device");
    }
    return machine.launch(*kernel, grid, block, arguments, sharedBytes, queue);
  });
}

}  // extern "C"
