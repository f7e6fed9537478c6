// The runtime's functions about memory. Copies run when their stream gets there, from and to the host too: a host buffer
// that was changed before is found by its checksum, and one that is read before is found full of 0xff.
#include <cstring>

#include "api.h"

namespace alexnet::simulator {
namespace {

uint64_t addressOf(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

uint64_t checksum(const void* data, size_t bytes) {
  const auto* at = static_cast<const unsigned char*>(data);
  uint64_t sum = bytes, word = 0;
  for (; bytes >= 8; at += 8, bytes -= 8) {
    std::memcpy(&word, at, 8);
    sum = (sum ^ word) * 0x9e3779b97f4a7c15ULL;
    sum ^= sum >> 29;
  }
  for (; bytes > 0; ++at, --bytes) sum = (sum ^ *at) * 0x9e3779b97f4a7c15ULL;
  return sum;
}

// One end of a copy: device memory, or the host's where `allocation` is null or pinned.
struct End {
  Allocation* allocation;
  std::byte* data;
  uint64_t offset;
  bool onDevice() const { return allocation != nullptr && allocation->device != kHost; }
};

bool resolve(Machine& machine, const void* pointer, size_t bytes, End& end, const std::string& call) {
  const uint64_t address = addressOf(pointer);
  end.allocation = machine.memory.find(address, bytes);
  if (end.allocation != nullptr) {
    end.offset = address - end.allocation->base;
    end.data = end.allocation->data + end.offset;
    return true;
  }
  if (address < (1ULL << 47) && machine.memory.find(address, 1) == nullptr) {  // ordinary host memory
    end.data = static_cast<std::byte*>(const_cast<void*>(pointer));
    return true;
  }
  machine.report(call + " of " + std::to_string(bytes) +
                 " bytes is out of bounds: " + machine.memory.explain(address, bytes));
  return false;
}

void copyNow(Machine& machine, void* destination, const void* source, size_t bytes, uint64_t expected, bool check,
             const std::string& call) {
  End to{}, from{};
  if (machine.sticky != cudaSuccess || bytes == 0) return;
  if (!resolve(machine, source, bytes, from, call) || !resolve(machine, destination, bytes, to, call)) return;
  if (check && checksum(from.data, bytes) != expected) {
    machine.report(call + ": the host buffer was changed before the copy had run");
    return;
  }
  if (from.onDevice() && from.allocation->state != nullptr) {
    const uint64_t first = firstUnwritten(*from.allocation, from.offset, from.offset + bytes);
    if (first != from.offset + bytes) {
      machine.report(call + " reads memory of " + deviceName(from.allocation->device) +
                     " that nobody wrote, from byte " + std::to_string(first) + " of " +
                     std::to_string(from.allocation->bytes));
      return;
    }
  }
  std::memmove(to.data, from.data, bytes);
  if (from.allocation != nullptr) machine.memory.touch(*from.allocation, from.offset, from.offset + bytes, false);
  if (to.allocation != nullptr) machine.memory.touch(*to.allocation, to.offset, to.offset + bytes, true);
}

cudaError_t queueCopy(Machine& machine, void* destination, const void* source, size_t bytes, Stream* stream,
                      const char* name) {
  const std::string call = std::string(name) + " on " + deviceName(stream->device);
  End to{}, from{};
  if (bytes > 0 && (!resolve(machine, source, bytes, from, call) || !resolve(machine, destination, bytes, to, call))) {
    return cudaErrorInvalidValue;
  }
  const bool fromHost = bytes > 0 && !from.onDevice();
  const uint64_t expected = fromHost && machine.checked ? checksum(from.data, bytes) : 0;
  if (bytes > 0 && !to.onDevice() && machine.checked) std::memset(to.data, 0xff, bytes);
  const bool check = fromHost && machine.checked;
  machine.streams.push(stream, call, [&machine, destination, source, bytes, expected, check, call] {
    copyNow(machine, destination, source, bytes, expected, check, call);
  });
  return cudaSuccess;
}

}  // namespace
}  // namespace alexnet::simulator

using namespace alexnet::simulator;

extern "C" {

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  return guarded([&](Machine& machine) {
    *pointer = nullptr;
    if (bytes == 0) return cudaSuccess;
    if (machine.memory.bytesOn(currentDevice) + bytes > machine.memoryBytes) return cudaErrorMemoryAllocation;
    *pointer = reinterpret_cast<void*>(machine.memory.allocate(currentDevice, bytes));
    return cudaSuccess;
  });
}

cudaError_t cudaFree(void* pointer) {
  return guarded([&](Machine& machine) {
    if (pointer == nullptr) return cudaSuccess;
    const Allocation* allocation = machine.memory.find(addressOf(pointer), 1);
    if (allocation == nullptr || allocation->base != addressOf(pointer)) return cudaErrorInvalidValue;
    machine.streams.finishDevice(allocation->device);
    machine.streams.forget(addressOf(pointer));
    return machine.memory.release(addressOf(pointer)) ? cudaSuccess : cudaErrorInvalidValue;
  });
}

cudaError_t cudaHostAlloc(void** pointer, size_t bytes, unsigned) {
  return guarded([&](Machine& machine) {
    *pointer = machine.memory.allocateHost(bytes);
    return cudaSuccess;
  });
}
cudaError_t cudaMallocHost(void** pointer, size_t bytes) { return cudaHostAlloc(pointer, bytes, 0); }

cudaError_t cudaFreeHost(void* pointer) {
  return guarded([&](Machine& machine) {
    if (pointer == nullptr) return cudaSuccess;
    for (int device = 0; device < machine.devices; ++device) machine.streams.finishDevice(device);
    machine.streams.forget(addressOf(pointer));
    return machine.memory.release(addressOf(pointer)) ? cudaSuccess : cudaErrorInvalidValue;
  });
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  return guarded([&](Machine& machine) {
    *total = machine.memoryBytes;
    *free = machine.memoryBytes - machine.memory.bytesOn(currentDevice);
    return cudaSuccess;
  });
}

cudaError_t cudaMemcpyAsync(void* destination, const void* source, size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  return guarded([&](Machine& machine) {
    return queueCopy(machine, destination, source, bytes, streamOf(machine, stream), "cudaMemcpyAsync");
  });
}

cudaError_t cudaMemcpyPeerAsync(void* destination, int, const void* source, int, size_t bytes, cudaStream_t stream) {
  return guarded([&](Machine& machine) {
    return queueCopy(machine, destination, source, bytes, streamOf(machine, stream), "cudaMemcpyPeerAsync");
  });
}

cudaError_t cudaMemcpy(void* destination, const void* source, size_t bytes, cudaMemcpyKind) {
  return guarded([&](Machine& machine) {
    Stream* stream = machine.streams.defaultOf(currentDevice);
    const cudaError_t status = queueCopy(machine, destination, source, bytes, stream, "cudaMemcpy");
    machine.streams.finish(stream->clock);
    return status;
  });
}

cudaError_t cudaMemsetAsync(void* pointer, int value, size_t bytes, cudaStream_t stream) {
  return guarded([&](Machine& machine) {
    Stream* queue = streamOf(machine, stream);
    const std::string call = "cudaMemsetAsync on " + deviceName(queue->device);
    machine.streams.push(queue, call, [&machine, pointer, value, bytes, call] {
      End end{};
      if (machine.sticky != cudaSuccess || bytes == 0 || !resolve(machine, pointer, bytes, end, call)) return;
      std::memset(end.data, value, bytes);
      if (end.allocation != nullptr) machine.memory.touch(*end.allocation, end.offset, end.offset + bytes, true);
    });
    return cudaSuccess;
  });
}

}  // extern "C"
