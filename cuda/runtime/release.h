// The thread that submits the work of all CUDA devices of the process, and what is given back on it.
//
// One thread, so that an event is always recorded before another device's stream waits for it: cudaStreamWaitEvent on an
// event that was never recorded does nothing.
#pragma once

#include <functional>
#include <memory>

#include "../../core/queue.h"

namespace alexnet::cuda {

std::shared_ptr<Queue> submissions();

// Gives something back to the runtime (memory, streams) on the submitting thread, behind all that is queued now: cudaFree
// may block until the GPU is idle; the event loop must not.
void releaseLater(std::function<void()> release);
// Gives back now what is waiting.
void releaseNow();

}  // namespace alexnet::cuda
