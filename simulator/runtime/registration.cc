// What the code that nvcc writes around kernels calls: images, kernels and variables make themselves known here.
#include <cstdlib>
#include <cstring>

#include "machine.h"

namespace alexnet::simulator {
namespace {

struct Wrapper {
  uint32_t magic;
  uint32_t version;
  const std::byte* data;
  void* unused;
};

template <class T>
T read(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

// By ALEXNET_SIMULATED_PTX: whether a build has PTX for a compute capability.
bool isWanted(int capability) {
  const char* only = std::getenv("ALEXNET_SIMULATED_PTX");
  return only == nullptr || std::atoi(only) == capability;
}

// The container begins with magic, version, size of its header and of the rest; each part with kind (1 for PTX), size
// of its header and of its text, and at byte 28 the compute capability.
void collect(const std::byte* container, Image& image) {
  if (read<uint32_t>(container) != 0xba55ed50U) return;
  const auto headerBytes = read<uint16_t>(container + 6);
  const std::byte* at = container + headerBytes;
  const std::byte* end = at + read<uint64_t>(container + 8);
  while (at < end) {
    const auto partHeader = read<uint32_t>(at + 4);
    const auto partBytes = read<uint64_t>(at + 8);
    const bool compressed = read<uint32_t>(at + 16) != 0;
    const auto capability = static_cast<int>(read<uint32_t>(at + 28));
    if (read<uint16_t>(at) == 1 && !compressed && isWanted(capability)) {
      const auto* text = reinterpret_cast<const char*>(at + partHeader);
      image.texts[capability] = std::string(text, strnlen(text, partBytes));
    }
    at += partHeader + partBytes;
  }
}

struct Configuration {
  dim3 grid, block;
  size_t sharedBytes;
  void* stream;
};
thread_local std::vector<Configuration> configurations;

}  // namespace
}  // namespace alexnet::simulator

using namespace alexnet::simulator;

extern "C" {

void** __cudaRegisterFatBinary(void* wrapper) {
  Machine& machine = Machine::instance();
  const std::lock_guard<Turns> lock(machine.mutex);
  machine.images.push_back(std::make_unique<Image>());
  collect(static_cast<Wrapper*>(wrapper)->data, *machine.images.back());
  return reinterpret_cast<void**>(machine.images.back().get());
}

void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
char __cudaInitModule(void**) { return 1; }

void __cudaRegisterFunction(void** image, const char* host, char*, const char* name, int, uint3*, uint3*, dim3*, dim3*,
                            int*) {
  Machine& machine = Machine::instance();
  const std::lock_guard<Turns> lock(machine.mutex);
  auto kernel = std::make_unique<Kernel>();
  kernel->image = reinterpret_cast<Image*>(image);
  kernel->name = name;
  machine.kernels[host] = std::move(kernel);
}

void __cudaRegisterVar(void** image, char* host, char*, const char* name, int, size_t, int, int) {
  reinterpret_cast<Image*>(image)->hostVariables[host] = name;
}

unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t sharedBytes, void* stream) {
  configurations.push_back({grid, block, sharedBytes, stream});
  return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* sharedBytes, void* stream) {
  if (configurations.empty()) return cudaErrorMissingConfiguration;
  const Configuration top = configurations.back();
  configurations.pop_back();
  *grid = top.grid;
  *block = top.block;
  *sharedBytes = top.sharedBytes;
  *static_cast<void**>(stream) = top.stream;
  return cudaSuccess;
}

cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* host) {
  *kernel = reinterpret_cast<cudaKernel_t>(const_cast<void*>(host));
  return cudaSuccess;
}

cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments, size_t sharedBytes,
                               cudaStream_t stream) {
  return cudaLaunchKernel(reinterpret_cast<const void*>(kernel), grid, block, arguments, sharedBytes, stream);
}

}  // extern "C"
