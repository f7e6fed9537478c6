// Commands for plumbing.slow.test.ts: the parts of cuda/ that need no GPU. Each prints its result, one line a field.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../../cuda/kernels/operations.h"
#include "../../cuda/runtime/availability.h"
#include "../../cuda/runtime/launch.cuh"
#include "../../cuda/runtime/status.h"

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

// statuses <status>...: for each, whether it is sticky, and the advice
void statuses(int count, char** options) {
  for (int i = 0; i < count; ++i) {
    const auto [isSticky, advice] = cuda::meaningOf(static_cast<cudaError_t>(number(options[i])));
    std::printf("%s %s\n", isSticky ? "sticky" : "passing", advice);
  }
}

// launch <x> <y> <z> <threads>
void launch(char** options) {
  const cuda::Grid grid{number(options[0]), number(options[1]), number(options[2])};
  cuda::launch("emptyKernel", emptyKernel, grid, static_cast<int>(number(options[3])), nullptr);
}

// Stands in for a device: launches fail for want of a GPU, after everything that the launchers check.
class NoContext final : public cuda::Context {
 public:
  cudaStream_t stream() const override { return nullptr; }
  const cuda::Limits& limits() const override { return limits_; }
  void* scratch(size_t) override { return nullptr; }

 private:
  cuda::Limits limits_;
};

Tensor tensorAt(const char* address, const Shape& shape) {
  const Tensor tensor{nullptr, 0, DataType::float32, shape};
  return {std::make_shared<Buffer>(nullptr, reinterpret_cast<void*>(number(address)), tensor.bytes()), 0,
          DataType::float32, shape};
}

// lrn <input address> <output address> <pixels> <channels> <columns> <size>, fp32
void lrn(char** options) {
  const Shape shape = {number(options[2]), 1, 1, number(options[3])};
  Lrn operation{tensorAt(options[0], shape), tensorAt(options[1], shape), {}, {}};
  operation.shape.columns = number(options[4]);
  operation.shape.size = number(options[5]);
  NoContext context;
  cuda::lrnForward(operation, context);
}

}  // namespace

int main(int count, char** options) {
  try {
    if (std::strcmp(options[1], "availability") == 0) availability(count - 2, options + 2);
    if (std::strcmp(options[1], "statuses") == 0) statuses(count - 2, options + 2);
    if (std::strcmp(options[1], "launch") == 0) launch(options + 2);
    if (std::strcmp(options[1], "lrn") == 0) lrn(options + 2);
  } catch (const Error& error) {
    std::printf("%s\n%s\n", error.code().c_str(), error.what());
  }
  return 0;
}
