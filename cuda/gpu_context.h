// What a CUDA device holds of the runtime: streams, staging and scratch memory, and the limits of its GPU.
#pragma once

#include <memory>

#include "runtime/context.h"
#include "runtime/event.h"
#include "runtime/memory.h"
#include "runtime/staging.h"

namespace alexnet::cuda {

class ScratchTooSmall : public Error {
 public:
  ScratchTooSmall() : Error(kOperation, "scratch memory cannot grow while a stream is captured.") {}
};

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
  // Counts the times that scratch() moved: what was captured before that uses memory that is gone.
  uint64_t scratchMoves() const { return scratchMoves_; }
  // While one lives, scratch() fails with ScratchTooSmall where it would have to grow.
  class Capturing {
   public:
    explicit Capturing(GpuContext& context) : context_(context) { context_.isCapturing_ = true; }
    ~Capturing() { context_.isCapturing_ = false; }
    Capturing(const Capturing&) = delete;
    Capturing& operator=(const Capturing&) = delete;

   private:
    GpuContext& context_;
  };
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
  uint64_t scratchMoves_ = 0;
  bool isCapturing_ = false;
};

}  // namespace alexnet::cuda
