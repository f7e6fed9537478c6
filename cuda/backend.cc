#include <cuda_runtime_api.h>

#include <array>
#include <cstdio>

#include "cuda.h"
#include "device.h"
#include "runtime/availability.h"
#include "runtime/peers.h"

namespace alexnet::cuda {
namespace {

std::string idOf(int gpu) { return "cuda:" + std::to_string(gpu); }

struct Boards {
  Findings findings;
  std::vector<cudaDeviceProp> properties;
};

Boards look() {
  Boards boards;
  Findings& findings = boards.findings;
  int count = 0;
  findings.status = cudaGetDeviceCount(&count);
  for (int index = 0; findings.status == cudaSuccess && index < count; ++index) {
    cudaDeviceProp properties;
    findings.status = cudaGetDeviceProperties(&properties, index);
    if (findings.status != cudaSuccess) break;
    findings.boards.emplace_back(properties.name);
    boards.properties.push_back(properties);
  }
  cudaGetLastError();  // clears the error, or the next launch would be blamed for it
  cudaDriverGetVersion(&findings.driverVersion);
  cudaRuntimeGetVersion(&findings.runtimeVersion);
  return boards;
}

// The other GPUs that can reach this one's memory.
std::vector<std::string> peersOf(int gpu, int count) {
  std::vector<std::string> peers;
  for (int other = 0; other < count; ++other) {
    if (other != gpu && canReach(other, gpu)) peers.push_back(idOf(other));
  }
  cudaGetLastError();
  return peers;
}

DeviceDescription describe(int gpu, const std::vector<cudaDeviceProp>& all) {
  const cudaDeviceProp& properties = all[static_cast<size_t>(gpu)];
  DeviceDescription description;
  description.id = idOf(gpu);
  description.name = properties.name;
  description.memoryBytes = static_cast<int64_t>(properties.totalGlobalMem);
  description.nativeBfloat16 = properties.major >= 8;
  description.computeCapability = std::to_string(properties.major) + "." + std::to_string(properties.minor);
  description.multiprocessors = properties.multiProcessorCount;
  std::array<char, 32> address{};
  std::snprintf(address.data(), address.size(), "%08x:%02x:%02x.0", properties.pciDomainID, properties.pciBusID,
                properties.pciDeviceID);
  description.pciAddress = address.data();
  description.peers = peersOf(gpu, static_cast<int>(all.size()));
  return description;
}

class CudaBackend final : public Backend {
 public:
  const char* kind() const override { return "cuda"; }

  Availability availability() const override {
    Availability result = availabilityFrom(look().findings);
    result.builtFor = ALEXNET_CUDA_BUILT_FOR;  // by cuda.cmake
    return result;
  }

  std::vector<DeviceDescription> list() const override {
    const Boards boards = look();
    std::vector<DeviceDescription> descriptions;
    if (boards.findings.status != cudaSuccess) return descriptions;
    for (int gpu = 0; gpu < static_cast<int>(boards.properties.size()); ++gpu) {
      descriptions.push_back(describe(gpu, boards.properties));
    }
    return descriptions;
  }

  std::shared_ptr<Device> open(int index, int) const override {
    const Boards boards = look();
    const bool usable = boards.findings.status == cudaSuccess;
    if (!usable || index < 0 || static_cast<size_t>(index) >= boards.properties.size()) {
      throw Error(kDevice, "There is no " + idOf(index) + " here. " + availabilityFrom(boards.findings).message);
    }
    return std::make_shared<CudaDevice>(index);
  }
};

}  // namespace

const Backend& backend() {
  static const CudaBackend instance;
  return instance;
}

}  // namespace alexnet::cuda
