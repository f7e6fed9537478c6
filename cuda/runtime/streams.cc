#include "streams.h"

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../../core/error.h"
#include "check.h"

namespace alexnet::cuda {
namespace {

// Between two looks at an event a thread leaves its core to others, but for the first ones. Blocking in the runtime
// (cudaEventBlockingSync) woke up half a millisecond late on an H200's machine.
constexpr auto kWithoutPause = std::chrono::microseconds(200);
constexpr auto kPause = std::chrono::microseconds(20);

struct All {
  std::mutex mutex;
  std::vector<std::weak_ptr<const Streams>> streams;
};

All& all() {
  static auto* const instance = new All;  // never destroyed: a device may be closed while the process ends
  return *instance;
}

cudaStream_t makeStream() {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  return stream;
}

// Marks the end of what was launched on a stream.
class End {
 public:
  explicit End(cudaStream_t stream) {
    check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "cudaEventCreateWithFlags");
    const cudaError_t status = cudaEventRecord(event_, stream);
    if (status == cudaSuccess) return;
    cudaEventDestroy(event_);
    fail(status, "cudaEventRecord");
  }
  ~End() { cudaEventDestroy(event_); }
  End(const End&) = delete;
  End& operator=(const End&) = delete;

  cudaEvent_t event() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

// What a GPU answers to any call: whether one of its kernels has failed.
cudaError_t stateOf(int gpu) {
  cudaError_t status = cudaSetDevice(gpu);
  if (status == cudaSuccess) status = cudaStreamQuery(nullptr);
  cudaGetLastError();
  return status == cudaErrorNotReady ? cudaSuccess : status;
}

}  // namespace

Streams::Streams(int gpu) : gpu_(gpu), compute_(makeStream()), exchange_(makeStream()), uploads_(makeStream()) {}

std::shared_ptr<Streams> Streams::make(int gpu) {
  std::shared_ptr<Streams> streams(new Streams(gpu));
  const std::lock_guard<std::mutex> lock(all().mutex);
  all().streams.push_back(streams);
  return streams;
}

Streams::~Streams() {
  if (isLost(gpu_) || cudaSetDevice(gpu_) != cudaSuccess) return;
  for (const cudaStream_t stream : {compute_, exchange_, uploads_}) cudaStreamDestroy(stream);
}

void Streams::dependOn(int otherGpu) {
  if (otherGpu == gpu_) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  awaited_.insert(otherGpu);
}

void Streams::waitFor(cudaEvent_t event) const {
  std::set<int> awaited;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    awaited = awaited_;
  }
  const auto begin = std::chrono::steady_clock::now();
  for (;;) {
    const cudaError_t status = cudaEventQuery(event);
    if (status != cudaErrorNotReady) return check(status, "cudaEventQuery");
    cudaGetLastError();  // "not ready" counts as an error
    if (std::chrono::steady_clock::now() - begin < kWithoutPause) continue;
    std::this_thread::sleep_for(kPause);
    for (const int other : awaited) {
      const cudaError_t state = stateOf(other);
      check(cudaSetDevice(gpu_), "cudaSetDevice");
      if (state == cudaSuccess) continue;
      throw Error(kPeer, lose(gpu_, "cuda:" + std::to_string(gpu_) + " waits for cuda:" + std::to_string(other) +
                                        ", which has failed: " + cudaGetErrorString(state) + " (" +
                                        cudaGetErrorName(state) + ")."));
    }
  }
}

void Streams::finish(cudaStream_t stream) const {
  std::optional<End> end;
  {
    const std::lock_guard<std::mutex> lock(marking_);
    end.emplace(stream);
  }
  waitFor(end->event());
}

void Streams::finishAll() {
  std::vector<std::shared_ptr<const Streams>> open;
  {
    const std::lock_guard<std::mutex> lock(all().mutex);
    std::vector<std::weak_ptr<const Streams>> remaining;
    for (const auto& known : all().streams) {
      if (auto streams = known.lock()) open.push_back(std::move(streams)), remaining.push_back(known);
    }
    all().streams.swap(remaining);
  }
  for (const auto& device : open) {
    try {
      check(cudaSetDevice(device->gpu_), "cudaSetDevice");
      for (const cudaStream_t stream : {device->compute_, device->exchange_, device->uploads_}) device->finish(stream);
    } catch (const Error&) {
      // The GPU is lost, and whoever uses it hears of it; or the process ends, and the runtime with it.
    }
  }
}

}  // namespace alexnet::cuda
