// Memory of the host that a kind of device copies from and to by itself (page-locked), so that no thread of the host does.
#pragma once

#include <cstddef>
#include <memory>

namespace alexnet {

// Given back when nobody holds it and no device copies from or to it any more.
class HostMemory {
 public:
  HostMemory(void* start, size_t size) : address(start), bytes(size) {}
  virtual ~HostMemory() = default;
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;

  void* const address;
  const size_t bytes;
};

// The host's end of a transfer. Work that is queued holds on to the memory that it lies in.
struct HostBytes {
  void* address = nullptr;
  std::shared_ptr<HostMemory> memory{};  // null: ordinary memory
};

}  // namespace alexnet
