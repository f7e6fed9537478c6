// The thread that submits the work of all CUDA devices of the process, and what is given back on it.
//
// One thread, because then an event is always recorded before another device's stream is made to wait for it: waiting for
// an event that nobody has recorded yet does nothing.
#pragma once

#include <functional>
#include <memory>

#include "../../core/queue.h"

namespace alexnet::cuda {

std::shared_ptr<Queue> submissions();

// Gives something back to the runtime (memory, streams) on the submitting thread, behind all that is queued now: the
// runtime lets a caller that frees memory wait until the GPU is idle, which the event loop must not.
void releaseLater(std::function<void()> release);
// Gives back at once what is waiting for that.
void releaseNow();

}  // namespace alexnet::cuda
