// Memory of the CPU device: aligned allocations, small ones kept for reuse, and buffers that own what is derived from
// them.
#pragma once

#include <deque>
#include <dnnl.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../core/device.h"

namespace alexnet::cpu {

// Memory in bytes that the machine and the control group have, and how much of it could be had now: `ulimit` counts too.
int64_t machineMemory();
int64_t availableMemory();

// Owned memory aligned to 64 bytes, to 2 MiB (a huge page) where it is large. Its contents are undefined.
class Allocation {
 public:
  Allocation() = default;
  // Fails with ALEXNET_MEMORY, naming `owner` ("cpu:0"), what is needed and what is free.
  Allocation(size_t bytes, const std::string& owner);
  ~Allocation();
  Allocation(Allocation&& other) noexcept : address_(std::exchange(other.address_, nullptr)), bytes_(other.bytes_) {}
  Allocation& operator=(Allocation&& other) noexcept {
    std::swap(address_, other.address_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  char* address() const { return static_cast<char*>(address_); }
  size_t bytes() const { return address_ ? bytes_ : 0; }

 private:
  void* address_ = nullptr;
  size_t bytes_ = 0;
};

// An allocation that the device's MemoryCounter counts.
class CountedAllocation {
 public:
  CountedAllocation(size_t bytes, const std::string& owner, std::shared_ptr<MemoryCounter> counter)
      : allocation_(bytes, owner), counter_(std::move(counter)) {
    counter_->bytes += static_cast<int64_t>(bytes);
    ++counter_->allocations;
  }
  ~CountedAllocation() {
    if (counter_) counter_->bytes -= static_cast<int64_t>(allocation_.bytes());
  }
  CountedAllocation(CountedAllocation&&) noexcept = default;

  char* address() const { return allocation_.address(); }

 private:
  Allocation allocation_;
  std::shared_ptr<MemoryCounter> counter_;
};

// Memory of a CPU device, with what is derived from pieces of it: copies in layouts that oneDNN wants, and magnitudes.
// They live as long as the buffer, and are made anew when it was written since.
class CpuBuffer final : public Buffer {
 public:
  static constexpr uint64_t kNever = ~uint64_t{0};  // the version of what has not been derived yet

  struct Packed {
    size_t offset;              // of the piece, in bytes
    dnnl::memory::desc layout;  // of the copy
    uint64_t version;           // of the buffer, when the copy was made
    CountedAllocation allocation;
  };

  CpuBuffer(const Device* owner, CountedAllocation allocation, size_t size)
      : Buffer(owner, allocation.address(), size), allocation_(std::move(allocation)) {}

  // The largest absolute value of a piece of it, or only that the piece has been seen before.
  struct Magnitude {
    size_t offset, bytes;  // of the piece
    uint64_t version;      // of the buffer, when it was seen
    std::optional<double> largest;
  };

  std::vector<Packed> packed;        // queue thread only
  std::deque<Magnitude> magnitudes;  // queue thread only

 private:
  CountedAllocation allocation_;
};

}  // namespace alexnet::cpu
