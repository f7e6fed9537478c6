// Page-locked memory of the host, which every GPU copies from and to by itself.
#pragma once

#include <memory>

#include "../../core/host_memory.h"

namespace alexnet::cuda {

// Null where the system locks no more pages. `gpu` is the one that asks. Any thread.
std::shared_ptr<HostMemory> allocatePinned(int gpu, size_t bytes);

}  // namespace alexnet::cuda
