// Commands for plumbing.test.ts: the parts of cuda/ that need no GPU. Each prints its result, one line a field.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../../cuda/availability.h"
#include "../../cuda/launch.cuh"
#include "../../cuda/lrn.h"

namespace {

using namespace alexnet;

__global__ void emptyKernel() {}

int64_t number(const char* text) { return std::strtoll(text, nullptr, 10); }

// availability <status> <runtime version> <driver version> <board>...
void availability(int count, char** options) {
  cuda::Findings findings;
  findings.status = static_cast<cudaError_t>(number(options[0]));
  findings.runtimeVersion = static_cast<int>(number(options[1]));
  findings.driverVersion = static_cast<int>(number(options[2]));
  findings.boards.assign(options + 3, options + count);
  const Availability result = cuda::availabilityFrom(findings);
  std::printf("%s\n%s\n%d\n%d\n", result.reason.c_str(), result.message.c_str(), result.runtimeVersion,
              result.driverVersion);
}

// launch <x> <y> <z> <threads>
void launch(char** options) {
  const cuda::Grid grid{number(options[0]), number(options[1]), number(options[2])};
  cuda::launch("emptyKernel", emptyKernel, grid, static_cast<int>(number(options[3])), nullptr);
}

// lrn <input address> <output address> <pixels> <channels> <columns> <size>, fp32
void lrn(char** options) {
  LrnShape shape;
  shape.columns = number(options[4]);
  shape.size = number(options[5]);
  cuda::lrnForward(DataType::float32, reinterpret_cast<const void*>(number(options[0])),
                   reinterpret_cast<void*>(number(options[1])), number(options[2]), number(options[3]), shape, nullptr);
}

}  // namespace

int main(int count, char** options) {
  try {
    if (std::strcmp(options[1], "availability") == 0) availability(count - 2, options + 2);
    if (std::strcmp(options[1], "launch") == 0) launch(options + 2);
    if (std::strcmp(options[1], "lrn") == 0) lrn(options + 2);
  } catch (const Error& error) {
    std::printf("%s\n%s\n", error.code().c_str(), error.what());
  }
  return 0;
}
