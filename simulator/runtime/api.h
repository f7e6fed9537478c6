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

// Runs `body(machine)`, which returns a status, under the lock. After a kernel has failed its device answers that to all.
template <class Body>
cudaError_t guarded(Body body) {
  Machine& machine = Machine::instance();
  const std::lock_guard<Turns> lock(machine.mutex);
  if (machine.stateOf(currentDevice) != cudaSuccess) return answer(machine.stateOf(currentDevice));
  const cudaError_t status = body(machine);
  return answer(machine.stateOf(currentDevice) != cudaSuccess ? machine.stateOf(currentDevice) : status);
}

inline Stream* streamOf(Machine& machine, cudaStream_t stream) {
  const auto value = reinterpret_cast<uintptr_t>(stream);
  return value <= 2 ? machine.streams.defaultOf(currentDevice) : reinterpret_cast<Stream*>(stream);
}

}  // namespace alexnet::simulator
