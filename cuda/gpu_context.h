// What a CUDA device has of the runtime: its streams, its staging and scratch memory, and the limits of its GPU.
#pragma once

#include "context.h"
#include "staging.h"

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

 private:
  const Owner owner_;
  Limits limits_;
  cudaStream_t compute_ = nullptr;
  std::unique_ptr<Staging> staging_;
  Block scratch_;
};

}  // namespace alexnet::cuda
