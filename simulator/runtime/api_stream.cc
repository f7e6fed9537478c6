// The runtime's functions about streams and events.
#include "api.h"

using namespace alexnet::simulator;

namespace {

Event* eventOf(cudaEvent_t event) { return reinterpret_cast<Event*>(event); }

// Runs what `find(machine)` has as its clock, a piece at a time: between two, other threads have their turn.
template <class Find>
cudaError_t waitFor(const char* call, Find find) {
  Clock target;
  bool isKnown = false;
  for (bool isDone = false; !isDone;) {
    const cudaError_t status = guarded([&](Machine& machine) {
      if (!isKnown) {
        const auto* what = find(machine);
        const cudaError_t forbidden = machine.graphs.forbidAsking(call, what->capture.get());
        if (forbidden != cudaSuccess) return forbidden;
        target = what->clock;
        isKnown = true;
        machine.trace("waits " + deviceName(currentDevice));
      }
      const Streams::Progress progress = machine.streams.proceed(target);
      isDone = progress == Streams::Progress::done;
      if (isDone) machine.trace("waited " + deviceName(currentDevice));
      if (progress == Streams::Progress::none) {
        machine.report(std::string(call) + " on " + deviceName(currentDevice) +
                       " waits for ever: what it waits for depends on another device, which has failed");
      }
      return cudaSuccess;
    });
    if (status != cudaSuccess) return status;
  }
  return cudaSuccess;
}

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
    Stream* queue = streamOf(machine, stream);
    if (queue->capture != nullptr) {
      return machine.graphs.invalidate(*queue->capture, cudaErrorStreamCaptureUnsupported,
                                       "cudaStreamDestroy of a stream that is captured");
    }
    machine.streams.destroy(queue);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return waitFor("cudaStreamSynchronize", [&](Machine& machine) { return streamOf(machine, stream); });
}

// Says whether the device works; whoever wants work to run asks for an event.
cudaError_t cudaStreamQuery(cudaStream_t stream) {
  return guarded([&](Machine& machine) {
    const Stream* queue = streamOf(machine, stream);
    const cudaError_t forbidden = machine.graphs.forbidAsking("cudaStreamQuery", queue->capture.get());
    if (forbidden != cudaSuccess) return forbidden;
    return machine.streams.isDone(queue->clock) ? cudaSuccess : cudaErrorNotReady;
  });
}

// Of an event that was never recorded there is nothing to wait for.
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  return guarded([&](Machine& machine) { return machine.graphs.wait(streamOf(machine, stream), *eventOf(event)); });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  const bool timing = (flags & cudaEventDisableTiming) == 0;
  *event = reinterpret_cast<cudaEvent_t>(new Event{currentDevice, {}, {}, {}, timing, false});
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
    const cudaError_t unsound = machine.graphs.requireSound(*queue, "cudaEventRecord");
    if (unsound != cudaSuccess) return unsound;
    machine.graphs.record(*queue, *recorded);
    recorded->recorded = true;
    return cudaSuccess;
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return waitFor("cudaEventSynchronize", [&](Machine&) { return eventOf(event); });
}

// Refuses what CUDA refuses, and the rest: the simulator has no clock.
cudaError_t cudaEventElapsedTime(float*, cudaEvent_t begin, cudaEvent_t end) {
  return guarded([&](Machine& machine) {
    for (const Event* event : {eventOf(begin), eventOf(end)}) {
      if (!event->timing || !event->recorded) {
        return machine.refuse(cudaErrorInvalidResourceHandle,
                              std::string("cudaEventElapsedTime of an event that ") +
                                  (event->timing ? "was never recorded" : "was created with cudaEventDisableTiming"));
      }
      if (!machine.streams.isDone(event->clock)) return cudaErrorNotReady;
    }
    return machine.refuse(cudaErrorNotSupported, "a simulated GPU has no clock: nothing can be timed on it");
  });
}

// Runs a piece of work each time, so that an event happens at last.
cudaError_t cudaEventQuery(cudaEvent_t event) {
  return guarded([&](Machine& machine) {
    const cudaError_t forbidden = machine.graphs.forbidAsking("cudaEventQuery", eventOf(event)->capture.get());
    if (forbidden != cudaSuccess) return forbidden;
    const bool isDone = machine.streams.proceed(eventOf(event)->clock) == Streams::Progress::done;
    machine.trace((isDone ? "waited " : "waits ") + deviceName(currentDevice));
    return isDone ? cudaSuccess : cudaErrorNotReady;
  });
}

}  // extern "C"
