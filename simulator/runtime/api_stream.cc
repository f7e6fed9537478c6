// The runtime's functions about streams and events.
#include <chrono>

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
cudaError_t cudaStreamCreate(cudaStream_t* stream) { return cudaStreamCreateWithFlags(stream, 0); }
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) {
  return cudaStreamCreateWithFlags(stream, flags);
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

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  return guarded([&](Machine& machine) {
    const Clock target = streamOf(machine, stream)->clock;
    if (machine.streams.isDone(target)) return cudaSuccess;
    machine.streams.advance(target);
    return cudaErrorNotReady;
  });
}

// Of an event that was never recorded there is nothing to wait for.
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  return guarded([&](Machine& machine) {
    join(streamOf(machine, stream)->clock, eventOf(event)->clock);
    return cudaSuccess;
  });
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* data) {
  return guarded([&](Machine& machine) {
    machine.streams.push(streamOf(machine, stream), "cudaLaunchHostFunc", [function, data] { function(data); });
    return cudaSuccess;
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = reinterpret_cast<cudaEvent_t>(new Event);
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, 0); }

// The work that notes the time may run after the event is gone: it keeps nothing of it.
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return guarded([&](Machine& machine) {
    if (eventOf(event)->recorded) machine.streams.finish(eventOf(event)->clock);
    delete eventOf(event);
    return cudaSuccess;
  });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return guarded([&](Machine& machine) {
    Stream* queue = streamOf(machine, stream);
    Event* recorded = eventOf(event);
    machine.streams.push(queue, "cudaEventRecord", [recorded] {
      const auto now = std::chrono::steady_clock::now().time_since_epoch();
      recorded->time = std::chrono::duration<double, std::milli>(now).count();
    });
    recorded->recorded = true;
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

cudaError_t cudaEventQuery(cudaEvent_t event) {
  return guarded([&](Machine& machine) {
    if (machine.streams.isDone(eventOf(event)->clock)) return cudaSuccess;
    machine.streams.advance(eventOf(event)->clock);
    return cudaErrorNotReady;
  });
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  return guarded([&](Machine& machine) {
    if (!eventOf(start)->recorded || !eventOf(end)->recorded) return cudaErrorInvalidResourceHandle;
    machine.streams.finish(eventOf(end)->clock);
    *milliseconds = static_cast<float>(eventOf(end)->time - eventOf(start)->time);
    return cudaSuccess;
  });
}

}  // extern "C"
