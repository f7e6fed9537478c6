// Copies between host and GPU, double-buffered: page-locked memory in two halves, one filled or emptied by this thread
// while the GPU copies the other.
#pragma once

#include <array>

#include "memory.h"
#include "streams.h"

namespace alexnet::cuda {

// Used on the device's thread only, with its GPU current. Uploads and downloads happen in the order of the compute stream.
class Staging {
 public:
  Staging(const Owner& owner, const Streams& streams);
  // When nothing is transferred any more.
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // Of each of the two landing buffers, where tensors of so many bytes are transferred.
  static size_t capacityFor(size_t bytes);
  // Takes them now.
  void reserve(size_t bytes);
  // `source` may change after the call; `destination` changes in the order of the compute stream. The transfer itself does
  // not wait for that stream: it goes to `landing`, from where the stream copies.
  void upload(void* destination, const void* source, size_t bytes);
  // Waits for the compute stream; `destination` is complete after the call.
  void download(void* destination, const void* source, size_t bytes);

 private:
  struct Half {
    char* pinned = nullptr;
    Allocation landing;                              // GPU memory of the same size
    cudaEvent_t transferred = nullptr;               // the last copy from or to `pinned` has ended
    cudaEvent_t landed = nullptr;                    // the last copy from `landing` has ended
    bool isTransferring = false, isLanding = false;  // whether they were recorded
  };

  Half& next();
  void wait(Half& half);

  const Owner owner_;
  const Streams& streams_;
  std::array<Half, 2> halves_;
  size_t turn_ = 0;
  size_t capacity_ = 0;  // of each half
};

}  // namespace alexnet::cuda
