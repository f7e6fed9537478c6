// Tensors: a shape and a type over a piece of one device's memory. Always dense, the last dimension contiguous.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "error.h"

namespace alexnet {

class Device;

enum class DataType : uint8_t { float32, bfloat16, int32, uint8 };

size_t sizeOf(DataType type);
const char* nameOf(DataType type);

using Shape = std::vector<int64_t>;  // at most 4 dimensions, each at least 1

int64_t elementsOf(const Shape& shape);
std::string toString(const Shape& shape);  // "[128, 55, 55, 96]"

// Memory of one device, released with the last tensor (and the last queued operation) that refers to it.
class Buffer {
 public:
  Buffer(const Device* owner, void* start, size_t size) : device(owner), address(start), bytes(size) {}
  virtual ~Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  const Device* const device;
  void* const address;
  const size_t bytes;
  // Counts writes, so that what a device derives from a tensor (packed weights) is known to be stale.
  std::atomic<uint64_t> version{0};
};

// Takes down the buffers that this thread asks to write to while it lives; one at a time.
class WriteLog {
 public:
  WriteLog() { current = this; }
  ~WriteLog() { current = nullptr; }
  WriteLog(const WriteLog&) = delete;
  WriteLog& operator=(const WriteLog&) = delete;

  static void note(Buffer& buffer) {
    if (current) current->written.insert(&buffer);
  }
  std::set<Buffer*> written;

 private:
  static inline thread_local WriteLog* current = nullptr;
};

struct Tensor {
  std::shared_ptr<Buffer> buffer;
  size_t offset = 0;  // bytes from the buffer's start
  DataType type = DataType::float32;
  Shape shape;

  explicit operator bool() const { return buffer != nullptr; }
  int64_t elements() const { return elementsOf(shape); }
  size_t bytes() const { return static_cast<size_t>(elements()) * sizeOf(type); }
  int64_t dimension(size_t index) const { return shape.at(index); }

  // The address to read from. T is not checked against the type: verbs have validated it.
  template <class T = void>
  const T* data() const {
    requireMemory();
    return reinterpret_cast<const T*>(static_cast<const char*>(buffer->address) + offset);
  }
  // The address to write to. The only way to one, so every write counts.
  template <class T = void>
  T* mutableData() const {
    requireMemory();
    buffer->version.fetch_add(1, std::memory_order_relaxed);
    WriteLog::note(*buffer);
    return reinterpret_cast<T*>(static_cast<char*>(buffer->address) + offset);
  }

  // The same memory seen with another shape, type or start. Fails where it would leave the buffer.
  Tensor view(Shape newShape, DataType newType, size_t byteOffset) const;

 private:
  // Fails for an outline (Device::outline).
  void requireMemory() const {
    if (!buffer->address) throw Error(kArgument, "a tensor of " + toString(shape) + " is an outline without memory.");
  }
};

}  // namespace alexnet
