// What is given back to the runtime (memory, streams, events), on a thread of its own: it waits for the GPUs, and neither
// the event loop nor a device's thread must.
#pragma once

#include <functional>

namespace alexnet::cuda {

// `release` runs when all has ended that was launched on any GPU before: what it gives back is no longer in use, since a
// task that is still queued holds on to what it needs. It checks with isLost().
void releaseLater(std::function<void()> release);
// Gives back now what is waiting.
void releaseNow();

}  // namespace alexnet::cuda
