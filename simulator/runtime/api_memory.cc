// The runtime's functions about memory. Copies run when their stream gets there, from and to the host too: a host buffer
// that was changed before is found by its checksum, and one that is read before is found full of 0xff.
#include <cstring>
#include <utility>

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
  int device() const { return allocation == nullptr ? kHost : allocation->device; }
  bool onDevice() const { return device() != kHost; }
};

auto isKind(cudaMemcpyKind kind) {
  return [kind](const End& to, const End& from) {
    if (kind == cudaMemcpyDefault) return true;
    const bool toDevice = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    const bool fromDevice = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    return to.onDevice() == toDevice && from.onDevice() == fromDevice;
  };
}

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
  if (machine.stateOf(currentDevice) != cudaSuccess || bytes == 0) return;
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

void traceMemory(Machine& machine, const char* verb, int device, uint64_t bytes) {
  machine.trace(deviceName(device) + " " + verb + " " + std::to_string(bytes) + " bytes, " +
                std::to_string(machine.memory.bytesOn(device)) + " held");
}

// Reports a call that takes for ever.
bool isStuck(Machine& machine, int device, const char* call) {
  if (!machine.streams.isStuck(device)) return false;
  machine.report(std::string(call) + " waits for ever: work of " + deviceName(device) +
                 " waits for another device, which has failed");
  return true;
}

// `agrees(to, from)`: whether the ends are what the call says they are.
template <class Agrees>
cudaError_t queueCopy(Machine& machine, void* destination, const void* source, size_t bytes, Stream* stream,
                      const char* name, Agrees agrees) {
  const std::string call = std::string(name) + " on " + deviceName(stream->device);
  if (const cudaError_t unsound = machine.graphs.requireSound(*stream, call); unsound != cudaSuccess) return unsound;
  if (bytes == 0) return cudaSuccess;
  End to{}, from{};
  if (!resolve(machine, source, bytes, from, call) || !resolve(machine, destination, bytes, to, call)) {
    return cudaErrorInvalidValue;
  }
  if (!agrees(to, from)) {
    return machine.refuse(cudaErrorInvalidValue, call + " does not say what it copies: from " +
                                                     deviceName(from.device()) + " to " + deviceName(to.device()));
  }
  if (stream->capture != nullptr && !(from.onDevice() && to.onDevice())) {
    return machine.graphs.invalidate(*stream->capture, cudaErrorNotSupported,
                                     call + " from or to the host in a capture, which the simulator does not support");
  }
  const bool check = machine.checked && !from.onDevice();
  const uint64_t expected = check ? checksum(from.data, bytes) : 0;
  if (machine.checked && !to.onDevice()) std::memset(to.data, 0xff, bytes);
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
    if (const cudaError_t forbidden = machine.graphs.forbid("cudaMalloc"); forbidden != cudaSuccess) return forbidden;
    if (bytes == 0) return cudaSuccess;
    const uint64_t taken = machine.memory.bytesOn(currentDevice) + machine.memory.costOn(currentDevice, bytes);
    if (taken > machine.memoryBytes) return cudaErrorMemoryAllocation;
    *pointer = reinterpret_cast<void*>(machine.memory.allocate(currentDevice, bytes));
    traceMemory(machine, "takes", currentDevice, bytes);
    return cudaSuccess;
  });
}

// Waits for nothing, though a GPU often does: work that still uses the memory finds it gone.
cudaError_t cudaFree(void* pointer) {
  return guarded([&](Machine& machine) {
    if (pointer == nullptr) return cudaSuccess;
    if (const cudaError_t forbidden = machine.graphs.forbid("cudaFree"); forbidden != cudaSuccess) return forbidden;
    const Allocation* allocation = machine.memory.find(addressOf(pointer), 1);
    if (allocation == nullptr || allocation->base != addressOf(pointer)) return cudaErrorInvalidValue;
    if (isStuck(machine, allocation->device, "cudaFree")) return cudaSuccess;
    const auto [device, bytes] = std::pair(allocation->device, allocation->bytes);
    machine.streams.forget(addressOf(pointer));
    if (!machine.memory.release(addressOf(pointer))) return cudaErrorInvalidValue;
    traceMemory(machine, "gives back", device, bytes);
    return cudaSuccess;
  });
}

cudaError_t cudaHostAlloc(void** pointer, size_t bytes, unsigned) {
  return guarded([&](Machine& machine) {
    *pointer = nullptr;
    if (const cudaError_t forbidden = machine.graphs.forbid("cudaHostAlloc"); forbidden != cudaSuccess)
      return forbidden;
    *pointer = machine.memory.allocateHost(bytes);
    return cudaSuccess;
  });
}

cudaError_t cudaFreeHost(void* pointer) {
  return guarded([&](Machine& machine) {
    if (pointer == nullptr) return cudaSuccess;
    if (const cudaError_t forbidden = machine.graphs.forbid("cudaFreeHost"); forbidden != cudaSuccess) return forbidden;
    if (isStuck(machine, currentDevice, "cudaFreeHost")) return cudaSuccess;
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

cudaError_t cudaMemcpyAsync(void* destination, const void* source, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  return guarded([&](Machine& machine) {
    return queueCopy(machine, destination, source, bytes, streamOf(machine, stream), "cudaMemcpyAsync", isKind(kind));
  });
}

cudaError_t cudaMemcpyPeerAsync(void* destination, int destinationDevice, const void* source, int sourceDevice,
                                size_t bytes, cudaStream_t stream) {
  return guarded([&](Machine& machine) {
    const auto agrees = [=](const End& to, const End& from) {
      return to.device() == destinationDevice && from.device() == sourceDevice;
    };
    return queueCopy(machine, destination, source, bytes, streamOf(machine, stream), "cudaMemcpyPeerAsync", agrees);
  });
}

cudaError_t cudaMemcpy(void* destination, const void* source, size_t bytes, cudaMemcpyKind kind) {
  return guarded([&](Machine& machine) {
    if (const cudaError_t forbidden = machine.graphs.forbid("cudaMemcpy"); forbidden != cudaSuccess) return forbidden;
    Stream* stream = machine.streams.defaultOf(currentDevice);
    const cudaError_t status = queueCopy(machine, destination, source, bytes, stream, "cudaMemcpy", isKind(kind));
    machine.streams.finish(stream->clock);
    return status;
  });
}

}  // extern "C"
