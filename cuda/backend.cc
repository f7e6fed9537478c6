#include <cuda_runtime_api.h>

#include "availability.h"
#include "cuda.h"

namespace alexnet::cuda {
namespace {

Findings look() {
  Findings findings;
  int count = 0;
  findings.status = cudaGetDeviceCount(&count);
  for (int index = 0; findings.status == cudaSuccess && index < count; ++index) {
    cudaDeviceProp properties;
    findings.status = cudaGetDeviceProperties(&properties, index);
    if (findings.status == cudaSuccess) findings.boards.emplace_back(properties.name);
  }
  cudaGetLastError();  // the runtime remembers the error; it is told here and must not be blamed on a launch
  cudaDriverGetVersion(&findings.driverVersion);
  cudaRuntimeGetVersion(&findings.runtimeVersion);
  return findings;
}

class CudaBackend final : public Backend {
 public:
  const char* kind() const override { return "cuda"; }
  Availability availability() const override { return availabilityFrom(look()); }
  std::vector<DeviceDescription> list() const override { return {}; }
  std::shared_ptr<Device> open(int index, int) const override {
    throw Error(kDevice, "There is no cuda:" + std::to_string(index) + " here. " + availability().message);
  }
};

}  // namespace

const Backend& backend() {
  static const CudaBackend instance;
  return instance;
}

}  // namespace alexnet::cuda
