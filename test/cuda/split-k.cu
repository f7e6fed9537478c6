// Commands for split-k.slow.test.ts: how a GEMM is divided among blocks, and launches with dynamic shared memory.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../../cuda/gemm/split_k.h"
#include "../../cuda/runtime/launch.cuh"

namespace {

using namespace alexnet;

__global__ void emptyKernel() {}

int64_t number(const char* text) { return std::strtoll(text, nullptr, 10); }

// tiling <rows> <columns> <depth> <groups> <bytes of an element> <vector> <multiprocessors>
void tiling(char** options) {
  const DataType type = number(options[4]) == 4 ? DataType::float32 : DataType::bfloat16;
  const cuda::Gemm gemm{number(options[0]),     number(options[1]), number(options[2]), number(options[3]), type,
                        number(options[5]) != 0};
  cuda::Limits limits;
  limits.multiprocessors = static_cast<int>(number(options[6]));
  const cuda::Tiling chosen = cuda::tilingOf(gemm, limits);
  std::printf("%d\n%lld\n%lld\n%lld\n%lld\n%lld\n", chosen.large ? 128 : 64, static_cast<long long>(chosen.rowTiles),
              static_cast<long long>(chosen.columnTiles), static_cast<long long>(chosen.steps),
              static_cast<long long>(chosen.stepsPerSplit), static_cast<long long>(chosen.splits));
}

// shared <bytes> <bytes that a block may have>
void shared(char** options) {
  cuda::Limits limits;
  limits.sharedBytesPerBlock = static_cast<size_t>(number(options[1]));
  cuda::launchShared("emptyKernel", emptyKernel, {}, 32, static_cast<size_t>(number(options[0])), limits, nullptr);
}

}  // namespace

int main(int, char** options) {
  try {
    if (std::strcmp(options[1], "tiling") == 0) tiling(options + 2);
    if (std::strcmp(options[1], "shared") == 0) shared(options + 2);
  } catch (const Error& error) {
    std::printf("%s\n%s\n", error.code().c_str(), error.what());
  }
  return 0;
}
