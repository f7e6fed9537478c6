// Memory of a GPU: owned and counted allocations, and the buffers of tensors.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../../core/device.h"

namespace alexnet::cuda {

// The GPU that memory is taken from, and who takes it.
struct Owner {
  int gpu = 0;     // the runtime's index
  std::string id;  // "cuda:0"
  std::shared_ptr<MemoryCounter> counter;
};

// Bytes that allocations of these sizes take at most: the driver hands out blocks of 2 MiB, whole ones to an allocation
// of 1 MiB or more, and shares them among smaller ones.
size_t footprint(const std::vector<size_t>& sizes);

// Bytes that could be allocated on a GPU now.
size_t freeMemory(int gpu);

// Owned GPU memory, 256-byte aligned, contents undefined. May be destroyed on any thread: it is given back when the GPUs
// have ended what may use it.
class Allocation {
 public:
  Allocation() = default;
  // Fails with ALEXNET_MEMORY, naming what is needed and what is free. Counts as an allocation.
  Allocation(const Owner& owner, size_t bytes);
  ~Allocation();
  Allocation(Allocation&& other) noexcept
      : gpu_(other.gpu_), address_(std::exchange(other.address_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Allocation& operator=(Allocation&& other) noexcept {
    std::swap(gpu_, other.gpu_);
    std::swap(address_, other.address_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  // Gives it back at once. The caller has waited for whatever used it.
  void giveBack();

  void* address() const { return address_; }
  size_t bytes() const { return bytes_; }

 private:
  int gpu_ = 0;
  void* address_ = nullptr;
  size_t bytes_ = 0;
};

// Memory of tensors. Keeps a copy of a small upload, so that what is checked before a launch (labels, corners of crops)
// need not be read back from the GPU.
class CudaBuffer final : public Buffer {
 public:
  CudaBuffer(const Device* holder, const Owner& owner, size_t size);
  ~CudaBuffer() override;

  // The device's thread only. `offset` counts from the buffer's start.
  void remember(size_t offset, const void* source, size_t size);
  // The bytes from `offset` on, or null where they are not those of the last upload.
  const void* remembered(size_t offset, size_t size) const;

  const int gpu;

 private:
  CudaBuffer(const Device* holder, const Owner& owner, Allocation allocation);

  Allocation allocation_;
  const std::shared_ptr<MemoryCounter> counter_;
  std::vector<char> uploaded_;
  size_t uploadedOffset_ = 0;
  uint64_t uploadedVersion_ = 0;
};

}  // namespace alexnet::cuda
