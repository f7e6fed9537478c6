// Events between the streams of CUDA devices.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <mutex>
#include <vector>

#include "../../core/event.h"
#include "streams.h"

namespace alexnet::cuda {

// The runtime's events of one GPU, kept for reuse. Any thread.
class EventPool {
 public:
  // `flags` as cudaEventCreateWithFlags takes them.
  EventPool(int gpu, unsigned flags) : gpu_(gpu), flags_(flags) {}
  ~EventPool();
  EventPool(const EventPool&) = delete;
  EventPool& operator=(const EventPool&) = delete;

  int gpu() const { return gpu_; }
  cudaEvent_t take();
  void give(cudaEvent_t event);

 private:
  const int gpu_;
  const unsigned flags_;
  std::mutex mutex_;
  std::vector<cudaEvent_t> free_;
};

// Announced once recorded, not when the GPU has reached it: for that, CUDA devices make their streams wait. Never before
// it is recorded: cudaStreamWaitEvent on such an event does nothing.
class CudaEvent final : public Event {
 public:
  explicit CudaEvent(std::shared_ptr<EventPool> pool) : pool_(std::move(pool)), event_(pool_->take()) {}
  ~CudaEvent() override { pool_->give(event_); }

  // `stream` is of the event's own GPU, and that is the current one.
  void record(cudaStream_t stream);
  // Blocks until it is recorded, then makes `stream`, one of `streams`, wait for it. Fails where it never will be.
  void makeWait(Streams& streams, cudaStream_t stream);
  // Milliseconds by the GPU's clock, once it has reached both, which were recorded on one of `streams` and have timing.
  double millisecondsSince(const CudaEvent& begin, const Streams& streams) const;
  // Blocks until the GPU, whose streams these are, has reached it. Fails where it never will.
  void wait(const Streams& streams) const { streams.waitFor(event_); }
  // For other kinds of device: blocks until the GPU has reached it.
  void wait() override;

 private:
  const std::shared_ptr<EventPool> pool_;
  const cudaEvent_t event_;
};

}  // namespace alexnet::cuda
