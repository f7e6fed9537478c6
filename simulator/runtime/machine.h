// The simulated machine: its devices, memory, streams, programs, and what went wrong.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../machine/block.h"
#include "../machine/decoder.h"
#include "../machine/fault.h"
#include "counter_files.h"
#include "graphs.h"
#include "injected_fault.h"
#include "profile.h"
#include "streams.h"
#include "turns.h"

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
  std::map<int, size_t> optedInSharedBytes;          // by device
  std::map<int, std::unique_ptr<Program>> programs;  // by device
};

class Machine {
 public:
  static Machine& instance();

  Turns mutex;
  Memory memory;
  Schedule schedule;
  Streams streams;
  int devices;
  uint64_t memoryBytes;  // of a device
  bool peers;            // whether the devices can reach each other's memory
  bool onePeerRefuses;   // whether of two that let each other in the second is refused
  bool checked;
  CounterFiles counterFiles;
  Graphs graphs{*this};

  std::vector<std::unique_ptr<Image>> images;
  std::map<const void*, std::unique_ptr<Kernel>> kernels;

  // Null where the image has no PTX for this device.
  const ptx::Module* moduleFor(Image& image);
  // Decoded for the device; throws DecodeError.
  const Program& programOf(Kernel& kernel, int device);
  uint64_t addressOf(Image& image, const ptx::Variable& variable, int device);

  cudaError_t launch(Kernel& kernel, dim3 grid, dim3 block, void** arguments, size_t sharedBytes, Stream* stream);
  // What a launch on a device does, or why it is refused.
  cudaError_t prepare(Kernel& kernel, dim3 grid, dim3 block, void** arguments, size_t sharedBytes, int device,
                      Launch& launch);
  std::function<void()> workOf(Kernel& kernel, const Launch& launch);
  // Counts a launch for ALEXNET_SIMULATED_FAULT: puts the fault that befalls it in place of `run`, or answers it.
  cudaError_t applyFault(const std::string& name, int device, std::function<void()>& run);
  // Something is wrong that a GPU may not have noticed: nothing works any more.
  void report(const std::string& text);
  // A call that a GPU refuses too. Returns `status`.
  cudaError_t refuse(cudaError_t status, const std::string& text);
  // What every later call with this device as the current one answers: a report's to all, a failed kernel's to its own.
  cudaError_t stateOf(int device) const;
  // A line of ALEXNET_SIMULATED_LAUNCHES for a graph of so many nodes.
  void noteGraph(size_t nodes);
  // A line of ALEXNET_SIMULATED_TRACE.
  void trace(const std::string& line);
  // What was reported last, if a call answered `status` to it; else "".
  std::string reportOf(cudaError_t status) const { return status == lastStatus_ ? lastReport_ : ""; }

 private:
  InjectedFault injected_;
  Machine();
  void execute(Kernel& kernel, Launch launch);
  // A line of ALEXNET_SIMULATED_LAUNCHES.
  void note(const Kernel& kernel, const Launch& launch);
  void reportFault(const Kernel& kernel, const Launch& launch, const Block& block, const Fault& fault);
  void print(const std::string& text);
  // What about a launch is beyond the limits; nothing where it is within them.
  std::string beyondLimits(const Kernel& kernel, const Program& program, dim3 grid, dim3 block, size_t sharedBytes,
                           int device) const;
  cudaError_t sticky_ = cudaSuccess;
  std::map<int, cudaError_t> failed_;  // by device
  std::FILE* trace_ = nullptr;
  std::FILE* launches_ = nullptr;
  std::string lastReport_;
  cudaError_t lastStatus_ = cudaSuccess;
};

}  // namespace alexnet::simulator
