// Copies between the GPU and ordinary memory of the host, double-buffered: page-locked memory in two halves, one filled
// or emptied by this thread while the GPU copies the other. From and to page-locked memory the GPU copies by itself.
#pragma once

#include <cuda_runtime_api.h>

#include <array>
#include <cstddef>

#include "streams.h"

namespace alexnet::cuda {

// Used on the device's thread only, with its GPU current.
class Staging {
 public:
  Staging(int gpu, const Streams& streams);
  // When nothing is transferred any more.
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // Takes what transfers of tensors of so many bytes need, now.
  void reserve(size_t bytes);
  // `source` may change after the call; `destination` changes in the order of `stream`.
  void upload(void* destination, const void* source, size_t bytes, cudaStream_t stream);
  // Waits for the compute stream; `destination` is complete after the call.
  void download(void* destination, const void* source, size_t bytes);

 private:
  struct Half {
    char* pinned = nullptr;
    cudaEvent_t transferred = nullptr;  // the last copy from or to `pinned` has ended
    bool isTransferring = false;        // whether that was recorded
  };

  Half& next();
  void wait(Half& half);

  const int gpu_;
  const Streams& streams_;
  std::array<Half, 2> halves_;
  size_t turn_ = 0;
  size_t capacity_ = 0;  // of each half
};

}  // namespace alexnet::cuda
