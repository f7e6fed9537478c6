#include "staging.h"

#include <algorithm>
#include <cstring>

#include "check.h"

namespace alexnet::cuda {
namespace {

constexpr size_t kSmallest = size_t{64} << 10;
constexpr size_t kLargest = size_t{32} << 20;  // of a half; larger copies go in pieces
constexpr size_t kSlice = size_t{2} << 20;     // is transferred while the host copies the next one

}  // namespace

Staging::Staging(const Owner& owner, cudaStream_t compute) : owner_(owner), compute_(compute) {
  check(cudaStreamCreateWithFlags(&uploads_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  for (Half& half : halves_) {
    check(cudaEventCreateWithFlags(&half.transferred, cudaEventDisableTiming), "cudaEventCreateWithFlags");
    check(cudaEventCreateWithFlags(&half.landed, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  }
}

Staging::~Staging() {
  for (const Half& half : halves_) {
    if (half.isTransferring) cudaEventSynchronize(half.transferred);
    if (half.pinned) cudaFreeHost(half.pinned);
    if (half.transferred) cudaEventDestroy(half.transferred);
    if (half.landed) cudaEventDestroy(half.landed);
  }
  if (uploads_) cudaStreamDestroy(uploads_);
}

// Both halves grow together: either may be the next to be used.
void Staging::reserve(size_t bytes) {
  if (bytes <= capacity_) return;
  size_t capacity = std::max(capacity_, kSmallest);
  while (capacity < bytes) capacity *= 2;
  capacity_ = 0;
  for (Half& half : halves_) {
    wait(half);
    half.landing = Allocation();  // first: never hold the old and the new together
    half.isLanding = false;
    if (half.pinned) check(cudaFreeHost(std::exchange(half.pinned, nullptr)), "cudaFreeHost");
    void* pinned = nullptr;
    check(cudaHostAlloc(&pinned, capacity, cudaHostAllocDefault), "cudaHostAlloc");
    half.pinned = static_cast<char*>(pinned);
    half.landing = Allocation(owner_, capacity);
  }
  capacity_ = capacity;
}

Staging::Half& Staging::next() { return halves_[turn_++ % halves_.size()]; }

void Staging::wait(Half& half) {
  if (half.isTransferring) check(cudaEventSynchronize(half.transferred), "cudaEventSynchronize");
  half.isTransferring = false;
}

void Staging::upload(void* destination, const void* source, size_t bytes) {
  reserve(std::min(bytes, kLargest));
  for (size_t done = 0; done < bytes; done += capacity_) {
    const size_t piece = std::min(capacity_, bytes - done);
    Half& half = next();
    wait(half);
    if (half.isLanding) check(cudaStreamWaitEvent(uploads_, half.landed, 0), "cudaStreamWaitEvent");
    for (size_t begin = 0; begin < piece; begin += kSlice) {
      const size_t slice = std::min(kSlice, piece - begin);
      std::memcpy(half.pinned + begin, static_cast<const char*>(source) + done + begin, slice);
      check(cudaMemcpyAsync(static_cast<char*>(half.landing.address()) + begin, half.pinned + begin, slice,
                            cudaMemcpyHostToDevice, uploads_),
            "cudaMemcpyAsync (host to device)");
    }
    check(cudaEventRecord(half.transferred, uploads_), "cudaEventRecord");
    half.isTransferring = true;
    check(cudaStreamWaitEvent(compute_, half.transferred, 0), "cudaStreamWaitEvent");
    check(cudaMemcpyAsync(static_cast<char*>(destination) + done, half.landing.address(), piece,
                          cudaMemcpyDeviceToDevice, compute_),
          "cudaMemcpyAsync (device to device)");
    check(cudaEventRecord(half.landed, compute_), "cudaEventRecord");
    half.isLanding = true;
  }
}

void Staging::download(void* destination, const void* source, size_t bytes) {
  reserve(std::min(bytes, kLargest));
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
                          cudaMemcpyDeviceToHost, compute_),
          "cudaMemcpyAsync (device to host)");
    check(cudaEventRecord(half.transferred, compute_), "cudaEventRecord");
    half.isTransferring = true;
    if (previous) empty(*previous);
    previous = &half;
  }
  if (previous) empty(*previous);
}

}  // namespace alexnet::cuda
