// What the runtime's functions share: the lock, the current device, the last error.
#pragma once

#include "machine.h"

namespace alexnet::simulator {

extern thread_local int currentDevice;
extern thread_local cudaError_t lastError;

inline cudaError_t answer(cudaError_t status) {
  if (status != cudaSuccess) lastError = status;
  return status;
}

// Runs `body(machine)`, which returns a status, under the lock. After a kernel has failed nothing works any more.
template <class Body>
cudaError_t guarded(Body body) {
  Machine& machine = Machine::instance();
  const std::lock_guard<std::recursive_mutex> lock(machine.mutex);
  if (machine.sticky != cudaSuccess) return answer(machine.sticky);
  const cudaError_t status = body(machine);
  return answer(machine.sticky != cudaSuccess ? machine.sticky : status);
}

inline Stream* streamOf(Machine& machine, cudaStream_t stream) {
  const auto value = reinterpret_cast<uintptr_t>(stream);
  return value <= 2 ? machine.streams.defaultOf(currentDevice) : reinterpret_cast<Stream*>(stream);
}

}  // namespace alexnet::simulator
