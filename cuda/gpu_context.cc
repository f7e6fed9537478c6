#include "gpu_context.h"

#include <algorithm>

#include "kernels/operations.h"
#include "runtime/check.h"

namespace alexnet::cuda {
namespace {

constexpr int kOldest = 75;             // compute capability
constexpr int kOldestTensorCores = 80;  // that multiply bf16

Limits limitsOf(const cudaDeviceProp& properties) {
  Limits limits;
  limits.computeCapability = 10 * properties.major + properties.minor;
  limits.multiprocessors = properties.multiProcessorCount;
  limits.sharedBytesPerBlock = properties.sharedMemPerBlockOptin;
  limits.sharedBytesPerProcessor = properties.sharedMemPerMultiprocessor;
  return limits;
}

// The compute capability that the kernels for this GPU were compiled for, as 86 for 8.6. Fails where there are none.
int findCompiled(const Owner& owner, const cudaDeviceProp& properties) {
  int compiled = 0;
  const cudaError_t status = findKernels(compiled);
  if (status == cudaSuccess) return compiled;
  cudaGetLastError();
  const std::string major = std::to_string(properties.major);
  const std::string minor = std::to_string(properties.minor);
  if (status != cudaErrorNoKernelImageForDevice && status != cudaErrorInvalidDeviceFunction &&
      status != cudaErrorUnsupportedPtxVersion) {
    check(status, "cudaFuncGetAttributes");
  }
  const bool isTooOld = limitsOf(properties).computeCapability < kOldest;
  throw Error(kDevice, "No kernel image is available for " + owner.id + " (" + properties.name +
                           ", compute capability " + major + "." + minor + "): " +
                           (isTooOld ? "the kernels need compute capability 7.5 or newer. Take another device."
                                     : "this build was made for other GPUs. Build it with ALEXNET_CUDA_ARCHITECTURES=" +
                                           major + minor + " or =release."));
}

}  // namespace

GpuContext::GpuContext(const Owner& owner) : owner_(owner) {
  select();
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, owner.gpu), "cudaGetDeviceProperties");
  limits_ = limitsOf(properties);
  limits_.tensorCores = std::min(limits_.computeCapability, findCompiled(owner, properties)) >= kOldestTensorCores;
  streams_ = Streams::make(owner.gpu);
  staging_ = std::make_unique<Staging>(owner.gpu, *streams_);
}

GpuContext::~GpuContext() {
  cudaSetDevice(owner_.gpu);
  staging_.reset();
  streams_.reset();
  cudaGetLastError();  // errors are ignored: at exit the runtime may be gone
}

void GpuContext::select() const { check(cudaSetDevice(owner_.gpu), "cudaSetDevice"); }

void GpuContext::reserve(size_t bytes) {
  staging_->reserve(bytes);
  scratch(mostScratch());
}

void* GpuContext::scratch(size_t bytes) {
  if (bytes > scratch_.bytes()) {
    if (isCapturing_) throw ScratchTooSmall();
    ++scratchMoves_;
    streams_->finish(stream());  // operations still use it
    scratch_.giveBack();         // first: never hold the old and the new together
    scratch_ = Allocation(owner_, bytes);
  }
  return scratch_.address();
}

}  // namespace alexnet::cuda
