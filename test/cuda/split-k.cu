// Commands for split-k.slow.test.ts: how a GEMM is divided among blocks, and launches with dynamic shared memory.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../../cuda/gemm/mma/tiling.h"
#include "../../cuda/gemm/split_k.h"
#include "../../cuda/runtime/launch.cuh"

namespace {

using namespace alexnet;

__global__ void emptyKernel() {}

int64_t number(const char* text) { return std::strtoll(text, nullptr, 10); }

void print(int64_t rows, int64_t columns, int64_t depth, const cuda::Tiling& tiling) {
  for (const int64_t value :
       {rows, columns, depth, tiling.rowTiles, tiling.columnTiles, tiling.steps, tiling.stepsPerSplit, tiling.splits}) {
    std::printf("%lld\n", static_cast<long long>(value));
  }
}

// tiling <rows> <columns> <depth> <groups> <bytes of an element> <vector> <multiprocessors> <compute capability>
// On tensor cores for a compute capability of 80 and up.
void tiling(char** options) {
  const DataType type = number(options[4]) == 4 ? DataType::float32 : DataType::bfloat16;
  const cuda::Gemm gemm{number(options[0]),     number(options[1]), number(options[2]), number(options[3]), type,
                        number(options[5]) != 0};
  cuda::Limits limits;
  limits.multiprocessors = static_cast<int>(number(options[6]));
  limits.computeCapability = static_cast<int>(number(options[7]));
  if (limits.computeCapability >= 80) {
    const cuda::mma::ShapeTiling chosen = cuda::mma::chooseTile(gemm, limits, limits.partialBytes());
    const cuda::mma::ShapeFacts tile = cuda::mma::factsOf(chosen.shape);
    return print(tile.rows, tile.columns, cuda::mma::kStepBytes / sizeOf(type), chosen.tiling);
  }
  const cuda::Tiling chosen = cuda::tilingOf(gemm, limits);
  const int64_t side = chosen.large ? 128 : 64;
  print(side, side, cuda::stepDepth(sizeOf(type)), chosen);
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
