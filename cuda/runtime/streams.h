// The streams of one device, and waiting for what was launched on them.
//
// A stream that waits for an event of a GPU that fails may wait for ever. So whoever waits for such a stream asks the other
// GPU too, and gives up with it.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <mutex>
#include <set>

namespace alexnet::cuda {

class Streams {
 public:
  // With the GPU current.
  static std::shared_ptr<Streams> make(int gpu);
  ~Streams();
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  cudaStream_t compute() const { return compute_; }    // operations, one after the other
  cudaStream_t exchange() const { return exchange_; }  // copies to other GPUs, beside them
  cudaStream_t uploads() const { return uploads_; }    // from the host, beside them

  // Before one of these is made to wait for an event of another GPU.
  void dependOn(int otherGpu);
  // Blocks until the GPU has reached an event that was recorded on one of these. Fails where it never will.
  void waitFor(cudaEvent_t event) const;
  // Blocks until all has ended that was launched on `stream`, one of these, so far.
  void finish(cudaStream_t stream) const;

  // Held while a stream is captured, and while another thread marks how far a stream has come.
  std::mutex& marking() const { return marking_; }

  // Blocks until all has ended that was launched on any device's streams so far, or never will.
  static void finishAll();

 private:
  explicit Streams(int gpu);

  const int gpu_;
  cudaStream_t compute_ = nullptr, exchange_ = nullptr, uploads_ = nullptr;
  mutable std::mutex mutex_;  // of `awaited_`: the device's thread and the one that gives back both wait
  std::set<int> awaited_;     // GPUs whose events these wait for
  mutable std::mutex marking_;
};

}  // namespace alexnet::cuda
