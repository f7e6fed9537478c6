// The simulated machine: its devices, memory, streams, programs, and what went wrong.
#pragma once

#include <cuda_runtime_api.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../machine/block.h"
#include "../machine/decoder.h"
#include "injected_fault.h"
#include "profile.h"
#include "streams.h"

namespace alexnet::simulator {

// The PTX that came with one compiled file, parsed when a kernel of it is first needed.
struct Image {
  std::map<int, std::string> texts;  // by compute capability
  std::map<int, std::unique_ptr<ptx::Module>> modules;
  std::map<std::pair<int, std::string>, uint64_t> variables;  // device, name → address
  std::map<const void*, std::string> hostVariables;
};

struct Kernel {
  Image* image = nullptr;
  std::string name;
  size_t optedInSharedBytes = 0;
  std::map<int, std::unique_ptr<Program>> programs;  // by device
};

class Machine {
 public:
  static Machine& instance();

  std::recursive_mutex mutex;
  Memory memory;
  Schedule schedule;
  Streams streams;
  int devices;
  uint64_t memoryBytes;  // of a device
  bool peers;            // whether the devices can reach each other's memory
  bool checked;

  std::vector<std::unique_ptr<Image>> images;
  std::map<const void*, std::unique_ptr<Kernel>> kernels;

  // Null where the image has no PTX for this device.
  const ptx::Module* moduleFor(Image& image);
  // Decoded for the device; throws DecodeError.
  const Program& programOf(Kernel& kernel, int device);
  uint64_t addressOf(Image& image, const ptx::Variable& variable, int device);

  cudaError_t launch(Kernel& kernel, dim3 grid, dim3 block, void** arguments, size_t sharedBytes, Stream* stream);
  void report(const std::string& text);
  cudaError_t sticky = cudaSuccess;  // what every later call answers
  std::string firstReport;

 private:
  InjectedFault injected_;
  Machine();
  void execute(Kernel& kernel, const Launch& launch);
  [[nodiscard]] bool withinLimits(Kernel& kernel, const Program& program, dim3 grid, dim3 block, size_t sharedBytes);
};

}  // namespace alexnet::simulator
