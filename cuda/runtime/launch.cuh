// The one way to launch a kernel: checks the limits before and the runtime's status after, and names the kernel in both
// errors.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "check.h"
#include "context.h"

namespace alexnet::cuda {

// 64 bits, so that a grid that is too large is noticed; dim3 would wrap.
struct Grid {
  int64_t x = 1, y = 1, z = 1;
};

// The limits of every GPU since compute capability 3.0.
inline void checkLimits(const char* name, const Grid& grid, int threads) {
  const bool fits = grid.x >= 1 && grid.x <= 2147483647 && grid.y >= 1 && grid.y <= 65535 && grid.z >= 1 &&
                    grid.z <= 65535 && threads >= 1 && threads <= 1024;
  if (fits) return;
  throw Error(kOperation, std::string(name) + ": a grid of " + std::to_string(grid.x) + " x " + std::to_string(grid.y) +
                              " x " + std::to_string(grid.z) + " blocks of " + std::to_string(threads) +
                              " threads cannot be launched; the limits are 2147483647 x 65535 x 65535 and 1024.");
}

// Launches with `sharedBytes` of dynamic shared memory a block.
template <class... Parameters, class... Arguments>
void launchShared(const char* name, void (*kernel)(Parameters...), const Grid& grid, int threads, size_t sharedBytes,
                  const Limits& limits, cudaStream_t stream, Arguments... arguments) {
  checkLimits(name, grid, threads);
  if (sharedBytes > limits.sharedBytesPerBlock) {
    throw Error(kOperation, std::string(name) + ": a block needs " + std::to_string(sharedBytes) +
                                " bytes of shared memory, this GPU has " + std::to_string(limits.sharedBytesPerBlock) +
                                ".");
  }
  if (sharedBytes > 49152) {  // more needs an opt-in
    check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(sharedBytes)),
          name);
  }
  const dim3 blocks(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y), static_cast<unsigned>(grid.z));
  kernel<<<blocks, static_cast<unsigned>(threads), sharedBytes, stream>>>(arguments...);
  check(cudaGetLastError(), name);
  if (synchronousLaunches()) check(cudaStreamSynchronize(stream), name);
}

template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), const Grid& grid, int threads, cudaStream_t stream,
            Arguments... arguments) {
  launchShared(name, kernel, grid, threads, 0, Limits(), stream, arguments...);
}

// launch() for operations that are not the same each time a graph is launched: where the context names a node, that was
// captured from such a launch and gets these arguments. Launches of its graph that are under way keep theirs.
template <class... Parameters, class... Arguments>
void launchOrUpdate(const char* name, void (*kernel)(Parameters...), const Grid& grid, int threads,
                    const Context& context, Arguments... arguments) {
  if (!context.node()) return launch(name, kernel, grid, threads, context.stream(), arguments...);
  checkLimits(name, grid, threads);
  std::tuple<Parameters...> values(arguments...);
  std::apply(
      [&](auto&... own) {
        void* addresses[] = {&own...};
        cudaKernelNodeParams params{};
        params.func = reinterpret_cast<void*>(kernel);
        params.gridDim =
            dim3(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y), static_cast<unsigned>(grid.z));
        params.blockDim = dim3(static_cast<unsigned>(threads));
        params.kernelParams = addresses;
        check(cudaGraphExecKernelNodeSetParams(context.node()->graph, context.node()->node, &params), name);
      },
      values);
}

}  // namespace alexnet::cuda
