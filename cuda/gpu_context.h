// What a CUDA device holds of the runtime: streams, staging and scratch memory, and the limits of its GPU.
#pragma once

#include <memory>

#include "runtime/context.h"
#include "runtime/event.h"
#include "runtime/memory.h"
#include "runtime/staging.h"

namespace alexnet::cuda {

// Made on any thread, used on the device's, and destroyed where its streams have nothing left to do.
class GpuContext final : public Context {
 public:
  // Fails with ALEXNET_DEVICE where this build has no kernels for the GPU.
  explicit GpuContext(const Owner& owner);
  ~GpuContext() override;
  GpuContext(const GpuContext&) = delete;
  GpuContext& operator=(const GpuContext&) = delete;

  cudaStream_t stream() const override { return streams_->compute(); }
  const Limits& limits() const override { return limits_; }
  void* scratch(size_t bytes) override;
  // Bytes of scratch memory that a net's operations need at most.
  size_t mostScratch() const { return limits_.multiprocessors * kScratchPerProcessor; }
  // Takes them, and what transfers of a tensor of `bytes` need.
  void reserve(size_t bytes);

  // Makes this GPU the current one of the calling thread.
  void select() const;
  Staging& staging() { return *staging_; }
  Streams& streams() const { return *streams_; }

 private:
  const Owner owner_;
  Limits limits_;
  std::shared_ptr<Streams> streams_;
  std::unique_ptr<Staging> staging_;
  Allocation scratch_;
};

}  // namespace alexnet::cuda
