#include "pinned.h"

#include <cuda_runtime_api.h>

#include "check.h"
#include "release.h"

namespace alexnet::cuda {
namespace {

class Pinned final : public HostMemory {
 public:
  Pinned(int gpu, void* start, size_t size) : HostMemory(start, size), gpu_(gpu) {}
  // May run on any thread, and while GPUs still copy.
  ~Pinned() override {
    releaseLater([gpu = gpu_, start = address] {
      if (!isLost(gpu) && cudaSetDevice(gpu) == cudaSuccess) cudaFreeHost(start);
      cudaGetLastError();  // at exit the runtime may be gone
    });
  }

 private:
  const int gpu_;
};

}  // namespace

std::shared_ptr<HostMemory> allocatePinned(int gpu, size_t bytes) {
  check(cudaSetDevice(gpu), "cudaSetDevice");
  void* start = nullptr;
  const cudaError_t status = cudaHostAlloc(&start, bytes, cudaHostAllocPortable);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    return nullptr;
  }
  check(status, "cudaHostAlloc");
  return std::make_shared<Pinned>(gpu, start, bytes);
}

}  // namespace alexnet::cuda
