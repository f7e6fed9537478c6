#include "memory.h"

#include <cstring>

#include "check.h"
#include "release.h"

namespace alexnet::cuda {
namespace {

constexpr size_t kLargestRemembered = size_t{64} << 10;

constexpr size_t kMegabyte = 1000000;

constexpr size_t kBlock = size_t{2} << 20;
constexpr size_t kAlignment = 512;

size_t roundUp(size_t size, size_t unit) { return (size + unit - 1) / unit * unit; }

[[noreturn]] void failFor(const Owner& owner, size_t bytes) {
  const size_t needed = (bytes + kMegabyte - 1) / kMegabyte;
  const size_t available = freeMemory(owner.gpu) / kMegabyte;  // rounded down, so that it reads as less than `needed`
  throw Error(kMemory, "Out of memory on " + owner.id + ": " + std::to_string(needed) + " MB are needed, " +
                           std::to_string(available) + " MB are free. Try a smaller batchSize.");
}

// Errors are ignored: at exit the runtime may be gone, and the memory with it.
void freeNow(int gpu, void* address) {
  if (!isLost(gpu) && cudaSetDevice(gpu) == cudaSuccess) cudaFree(address);
  cudaGetLastError();
}

void* take(const Owner& owner, size_t bytes) {
  check(cudaSetDevice(owner.gpu), "cudaSetDevice");
  void* address = nullptr;
  cudaError_t status = cudaMalloc(&address, bytes);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    releaseNow();
    check(cudaSetDevice(owner.gpu), "cudaSetDevice");
    status = cudaMalloc(&address, bytes);
  }
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    failFor(owner, bytes);
  }
  check(status, "cudaMalloc");
  return address;
}

}  // namespace

size_t footprint(const std::vector<size_t>& sizes) {
  size_t whole = 0, shared = 0;
  for (const size_t size : sizes) {
    if (size >= kBlock / 2) {
      whole += roundUp(size, kBlock);
    } else {
      shared += 2 * roundUp(size, kAlignment);  // what does not fit any more leaves up to half of a block
    }
  }
  return whole + roundUp(shared, kBlock);
}

size_t freeMemory(int gpu) {
  check(cudaSetDevice(gpu), "cudaSetDevice");
  size_t available = 0;
  size_t total = 0;
  check(cudaMemGetInfo(&available, &total), "cudaMemGetInfo");
  return available;
}

Allocation::Allocation(const Owner& owner, size_t bytes)
    : gpu_(owner.gpu), address_(take(owner, bytes)), bytes_(bytes) {
  ++owner.counter->allocations;
}

Allocation::~Allocation() {
  if (!address_) return;
  releaseLater([gpu = gpu_, address = address_] { freeNow(gpu, address); });
}

void Allocation::giveBack() {
  if (address_) freeNow(gpu_, std::exchange(address_, nullptr));
  bytes_ = 0;
}

CudaBuffer::CudaBuffer(const Device* holder, const Owner& owner, size_t size)
    : CudaBuffer(holder, owner, Allocation(owner, size)) {}

CudaBuffer::CudaBuffer(const Device* holder, const Owner& owner, Allocation allocation)
    : Buffer(holder, allocation.address(), allocation.bytes()),
      gpu(owner.gpu),
      allocation_(std::move(allocation)),
      counter_(owner.counter) {
  counter_->bytes += static_cast<int64_t>(bytes);
}

CudaBuffer::~CudaBuffer() { counter_->bytes -= static_cast<int64_t>(bytes); }

void CudaBuffer::remember(size_t offset, const void* source, size_t size) {
  uploaded_.clear();
  if (size > kLargestRemembered) return;
  uploaded_.resize(size);
  std::memcpy(uploaded_.data(), source, size);
  uploadedOffset_ = offset;
  uploadedVersion_ = version;
}

const void* CudaBuffer::remembered(size_t offset, size_t size) const {
  const bool within = offset >= uploadedOffset_ && offset + size <= uploadedOffset_ + uploaded_.size();
  return within && version == uploadedVersion_ ? uploaded_.data() + (offset - uploadedOffset_) : nullptr;
}

}  // namespace alexnet::cuda
