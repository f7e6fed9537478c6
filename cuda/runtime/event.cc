#include "event.h"

#include "check.h"
#include "release.h"

namespace alexnet::cuda {

EventPool::~EventPool() {
  releaseLater([gpu = gpu_, events = std::move(free_)] {
    if (isLost(gpu) || cudaSetDevice(gpu) != cudaSuccess) return;
    for (const cudaEvent_t event : events) cudaEventDestroy(event);
  });
}

cudaEvent_t EventPool::take() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!free_.empty()) {
      const cudaEvent_t event = free_.back();
      free_.pop_back();
      return event;
    }
  }
  check(cudaSetDevice(gpu_), "cudaSetDevice");
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, flags_), "cudaEventCreateWithFlags");
  return event;
}

void EventPool::give(cudaEvent_t event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  free_.push_back(event);
}

void CudaEvent::record(cudaStream_t stream) {
  check(cudaEventRecord(event_, stream), "cudaEventRecord");
  announce(true);
}

void CudaEvent::makeWait(Streams& streams, cudaStream_t stream) {
  Event::wait();
  streams.dependOn(pool_->gpu());
  check(cudaStreamWaitEvent(stream, event_, 0), "cudaStreamWaitEvent");
}

double CudaEvent::millisecondsSince(const CudaEvent& begin, const Streams& streams) const {
  streams.waitFor(event_);
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, begin.event_, event_), "cudaEventElapsedTime");
  return milliseconds;
}

void CudaEvent::wait() {
  Event::wait();
  check(cudaEventSynchronize(event_), "cudaEventSynchronize");
}

}  // namespace alexnet::cuda
