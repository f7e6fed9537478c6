// The runtime's functions about streams and events.
#include "api.h"

using namespace alexnet::simulator;

namespace {

Event* eventOf(cudaEvent_t event) { return reinterpret_cast<Event*>(event); }

}  // namespace

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return guarded([&](Machine& machine) {
    *stream =
        reinterpret_cast<cudaStream_t>(machine.streams.create(currentDevice, (flags & cudaStreamNonBlocking) == 0));
    return cudaSuccess;
  });
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return guarded([&](Machine& machine) {
    machine.streams.destroy(streamOf(machine, stream));
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return guarded([&](Machine& machine) {
    machine.streams.finish(streamOf(machine, stream)->clock);
    return cudaSuccess;
  });
}

// Of an event that was never recorded there is nothing to wait for.
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  return guarded([&](Machine& machine) {
    join(streamOf(machine, stream)->clock, eventOf(event)->clock);
    return cudaSuccess;
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = reinterpret_cast<cudaEvent_t>(new Event{currentDevice, {}});
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return guarded([&](Machine&) {
    delete eventOf(event);
    return cudaSuccess;
  });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return guarded([&](Machine& machine) {
    const Stream* queue = streamOf(machine, stream);
    Event* recorded = eventOf(event);
    if (recorded->device != queue->device) {
      return machine.refuse(cudaErrorInvalidResourceHandle, "cudaEventRecord of an event of " +
                                                                deviceName(recorded->device) + " on a stream of " +
                                                                deviceName(queue->device));
    }
    recorded->clock = queue->clock;
    return cudaSuccess;
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return guarded([&](Machine& machine) {
    machine.streams.finish(eventOf(event)->clock);
    return cudaSuccess;
  });
}

}  // extern "C"
