// What a CUDA device holds of the runtime: streams, staging and scratch memory, and the limits of its GPU.
#pragma once

#include <set>

#include "runtime/context.h"
#include "runtime/event.h"
#include "runtime/staging.h"

namespace alexnet::cuda {

// Made on any thread, then used and destroyed on the submitting thread.
class GpuContext final : public Context {
 public:
  // Fails with ALEXNET_DEVICE where this build has no kernels for the GPU.
  explicit GpuContext(const Owner& owner);
  ~GpuContext() override;
  GpuContext(const GpuContext&) = delete;
  GpuContext& operator=(const GpuContext&) = delete;

  cudaStream_t stream() const override { return compute_; }
  const Limits& limits() const override { return limits_; }
  void* scratch(size_t bytes) override;

  // Makes this GPU the current one of the calling thread.
  void select() const;
  Staging& staging() { return *staging_; }

  // Copies to other GPUs run on it, beside the operations.
  cudaStream_t exchange() const { return exchange_; }
  // Enables peer access to another GPU where there is one; elsewhere the runtime copies through the host.
  void reach(int otherGpu);

 private:
  const Owner owner_;
  Limits limits_;
  cudaStream_t compute_ = nullptr;
  cudaStream_t exchange_ = nullptr;
  std::set<int> reached_;
  std::unique_ptr<Staging> staging_;
  Allocation scratch_;
};

}  // namespace alexnet::cuda
