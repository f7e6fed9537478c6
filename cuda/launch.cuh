// The one way to launch a kernel: checks the limits of a launch before it and the runtime's answer after it, and names
// the kernel in both errors.
#pragma once

#include <cstdint>
#include <string>

#include "check.h"

namespace alexnet::cuda {

// 64 bits, so that a grid that is too large is seen to be so; dim3 would wrap.
struct Grid {
  int64_t x = 1, y = 1, z = 1;
};

// What every GPU since compute capability 3.0 takes.
inline void checkLimits(const char* name, const Grid& grid, int threads) {
  const bool fits = grid.x >= 1 && grid.x <= 2147483647 && grid.y >= 1 && grid.y <= 65535 && grid.z >= 1 &&
                    grid.z <= 65535 && threads >= 1 && threads <= 1024;
  if (fits) return;
  throw Error(kOperation, std::string(name) + ": a grid of " + std::to_string(grid.x) + " x " + std::to_string(grid.y) +
                              " x " + std::to_string(grid.z) + " blocks of " + std::to_string(threads) +
                              " threads cannot be launched; the limits are 2147483647 x 65535 x 65535 and 1024.");
}

template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), const Grid& grid, int threads, cudaStream_t stream,
            Arguments... arguments) {
  checkLimits(name, grid, threads);
  const dim3 blocks(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y), static_cast<unsigned>(grid.z));
  kernel<<<blocks, static_cast<unsigned>(threads), 0, stream>>>(arguments...);
  check(cudaGetLastError(), name);
}

}  // namespace alexnet::cuda
