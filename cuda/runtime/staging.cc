#include "staging.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "check.h"

namespace alexnet::cuda {
namespace {

constexpr size_t kSmallest = size_t{64} << 10;
constexpr size_t kLargest = size_t{32} << 20;  // of a half; larger copies go in pieces
constexpr size_t kSlice = size_t{2} << 20;     // is transferred while the host copies the next one

}  // namespace

Staging::Staging(int gpu, const Streams& streams) : gpu_(gpu), streams_(streams) {
  for (Half& half : halves_) {
    check(cudaEventCreateWithFlags(&half.transferred, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  }
}

Staging::~Staging() {
  if (isLost(gpu_)) return;
  for (const Half& half : halves_) {
    if (half.pinned) cudaFreeHost(half.pinned);
    if (half.transferred) cudaEventDestroy(half.transferred);
  }
}

// Both halves grow together: either may be the next to be used.
void Staging::reserve(size_t bytes) {
  size_t capacity = kSmallest;
  while (capacity < std::min(bytes, kLargest)) capacity *= 2;
  if (capacity <= capacity_) return;
  capacity_ = 0;
  for (Half& half : halves_) {
    wait(half);
    if (half.pinned) check(cudaFreeHost(std::exchange(half.pinned, nullptr)), "cudaFreeHost");
    void* pinned = nullptr;
    check(cudaHostAlloc(&pinned, capacity, cudaHostAllocDefault), "cudaHostAlloc");
    half.pinned = static_cast<char*>(pinned);
  }
  capacity_ = capacity;
}

Staging::Half& Staging::next() { return halves_[turn_++ % halves_.size()]; }

void Staging::wait(Half& half) {
  if (std::exchange(half.isTransferring, false)) streams_.waitFor(half.transferred);
}

void Staging::upload(void* destination, const void* source, size_t bytes, cudaStream_t stream) {
  reserve(bytes);
  for (size_t done = 0; done < bytes; done += capacity_) {
    const size_t piece = std::min(capacity_, bytes - done);
    Half& half = next();
    wait(half);
    for (size_t begin = 0; begin < piece; begin += kSlice) {
      const size_t slice = std::min(kSlice, piece - begin);
      std::memcpy(half.pinned + begin, static_cast<const char*>(source) + done + begin, slice);
      check(cudaMemcpyAsync(static_cast<char*>(destination) + done + begin, half.pinned + begin, slice,
                            cudaMemcpyHostToDevice, stream),
            "cudaMemcpyAsync (host to device)");
    }
    check(cudaEventRecord(half.transferred, stream), "cudaEventRecord");
    half.isTransferring = true;
  }
}

void Staging::download(void* destination, const void* source, size_t bytes) {
  const cudaStream_t compute = streams_.compute();
  reserve(bytes);
  Half* previous = nullptr;
  size_t emptied = 0;  // bytes that have reached `destination`
  const auto empty = [&](Half& half) {
    wait(half);
    const size_t piece = std::min(capacity_, bytes - emptied);
    std::memcpy(static_cast<char*>(destination) + emptied, half.pinned, piece);
    emptied += piece;
  };
  for (size_t done = 0; done < bytes; done += capacity_) {
    Half& half = next();
    wait(half);
    check(cudaMemcpyAsync(half.pinned, static_cast<const char*>(source) + done, std::min(capacity_, bytes - done),
                          cudaMemcpyDeviceToHost, compute),
          "cudaMemcpyAsync (device to host)");
    check(cudaEventRecord(half.transferred, compute), "cudaEventRecord");
    half.isTransferring = true;
    if (previous) empty(*previous);
    previous = &half;
  }
  if (previous) empty(*previous);
}

}  // namespace alexnet::cuda
