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

Staging::Staging(const Owner& owner, const Streams& streams) : owner_(owner), streams_(streams) {
  for (Half& half : halves_) {
    check(cudaEventCreateWithFlags(&half.transferred, cudaEventDisableTiming), "cudaEventCreateWithFlags");
    check(cudaEventCreateWithFlags(&half.landed, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  }
}

Staging::~Staging() {
  if (isLost(owner_.gpu)) return;
  for (const Half& half : halves_) {
    if (half.pinned) cudaFreeHost(half.pinned);
    if (half.transferred) cudaEventDestroy(half.transferred);
    if (half.landed) cudaEventDestroy(half.landed);
  }
}

size_t Staging::capacityFor(size_t bytes) {
  size_t capacity = kSmallest;
  while (capacity < std::min(bytes, kLargest)) capacity *= 2;
  return capacity;
}

// Both halves grow together: either may be the next to be used.
void Staging::reserve(size_t bytes) {
  const size_t capacity = capacityFor(bytes);
  if (capacity <= capacity_) return;
  capacity_ = 0;
  for (Half& half : halves_) {
    wait(half);
    if (std::exchange(half.isLanding, false)) streams_.waitFor(half.landed);
    half.landing.giveBack();  // first: never hold the old and the new together
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
  if (std::exchange(half.isTransferring, false)) streams_.waitFor(half.transferred);
}

void Staging::upload(void* destination, const void* source, size_t bytes) {
  const cudaStream_t compute = streams_.compute(), uploads = streams_.uploads();
  reserve(bytes);
  for (size_t done = 0; done < bytes; done += capacity_) {
    const size_t piece = std::min(capacity_, bytes - done);
    Half& half = next();
    wait(half);
    if (half.isLanding) check(cudaStreamWaitEvent(uploads, half.landed, 0), "cudaStreamWaitEvent");
    for (size_t begin = 0; begin < piece; begin += kSlice) {
      const size_t slice = std::min(kSlice, piece - begin);
      std::memcpy(half.pinned + begin, static_cast<const char*>(source) + done + begin, slice);
      check(cudaMemcpyAsync(static_cast<char*>(half.landing.address()) + begin, half.pinned + begin, slice,
                            cudaMemcpyHostToDevice, uploads),
            "cudaMemcpyAsync (host to device)");
    }
    check(cudaEventRecord(half.transferred, uploads), "cudaEventRecord");
    half.isTransferring = true;
    check(cudaStreamWaitEvent(compute, half.transferred, 0), "cudaStreamWaitEvent");
    check(cudaMemcpyAsync(static_cast<char*>(destination) + done, half.landing.address(), piece,
                          cudaMemcpyDeviceToDevice, compute),
          "cudaMemcpyAsync (device to device)");
    check(cudaEventRecord(half.landed, compute), "cudaEventRecord");
    half.isLanding = true;
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
