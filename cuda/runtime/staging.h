// How data of the host come to a GPU and back: through page-locked memory in two halves, one being filled or emptied by
// this thread while the GPU copies the other.
#pragma once

#include <array>

#include "memory.h"

namespace alexnet::cuda {

// Used on the submitting thread only, with its GPU current.
class Staging {
 public:
  // `compute` is the stream whose order uploads and downloads keep.
  Staging(const Owner& owner, cudaStream_t compute);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // `source` may change after the call; `destination` changes in the order of the compute stream. The way across the bus
  // does not wait for what runs on that stream: it ends in memory of our own, from where the stream copies.
  void upload(void* destination, const void* source, size_t bytes);
  // Waits for the compute stream; `destination` is whole after the call.
  void download(void* destination, const void* source, size_t bytes);

 private:
  struct Half {
    char* pinned = nullptr;
    Block landing;                                   // on the GPU, as large
    cudaEvent_t transferred = nullptr;               // the last copy from or to `pinned` has ended
    cudaEvent_t landed = nullptr;                    // the last copy from `landing` has ended
    bool isTransferring = false, isLanding = false;  // whether they were recorded
  };

  void reserve(size_t bytes);
  Half& next();
  void wait(Half& half);

  const Owner owner_;
  const cudaStream_t compute_;
  cudaStream_t uploads_ = nullptr;
  std::array<Half, 2> halves_;
  size_t turn_ = 0;
  size_t capacity_ = 0;  // of each half
};

}  // namespace alexnet::cuda
