#include "machine.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../machine/fault.h"

namespace alexnet::simulator {
namespace {

const char* setting(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

uint64_t roundUp(uint64_t value, uint64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

std::string text(Dimensions place) {
  return "(" + std::to_string(place.x) + ", " + std::to_string(place.y) + ", " + std::to_string(place.z) + ")";
}

}  // namespace

Machine& Machine::instance() {
  static Machine* machine = new Machine;  // never destroyed: kernels and threads may outlive static objects
  return *machine;
}

Machine::Machine()
    : schedule(setting("ALEXNET_SIMULATED_SCHEDULE", "forward")),
      streams(memory, schedule, [this](const std::string& what) { report(what); }),
      devices(std::atoi(setting("ALEXNET_SIMULATED_GPUS", "1"))),
      memoryBytes(std::strtoull(setting("ALEXNET_SIMULATED_MEMORY", "6442450944"), nullptr, 10)),
      peers(std::string(setting("ALEXNET_SIMULATED_PEERS", "1")) != "0"),
      checked(std::string(setting("ALEXNET_SIMULATED_CHECKS", "1")) != "0") {
  memory.checked = checked;
}

void Machine::report(const std::string& what) {
  std::fprintf(stderr, "simulator: %s\n", what.c_str());
  if (const char* path = std::getenv("ALEXNET_SIMULATED_REPORT")) {
    if (std::FILE* file = std::fopen(path, "a")) {
      std::fprintf(file, "%s\n", what.c_str());
      std::fclose(file);
    }
  }
  if (firstReport.empty()) firstReport = "simulator: " + what;
  sticky = cudaErrorLaunchFailure;
}

const ptx::Module* Machine::moduleFor(Image& image) {
  const std::string* best = nullptr;
  int target = 0;
  for (const auto& [capability, source] : image.texts) {
    if (capability <= profile().computeCapability) best = &source, target = capability;
  }
  if (best == nullptr) return nullptr;
  auto& module = image.modules[target];
  if (module == nullptr) module = std::make_unique<ptx::Module>(ptx::parse(*best));
  return module.get();
}

uint64_t Machine::addressOf(Image& image, const ptx::Variable& variable, int device) {
  uint64_t& address = image.variables[{device, variable.name}];
  if (address != 0) return address;
  address = memory.allocate(device, variable.bytes);
  Allocation& allocation = *memory.find(address, variable.bytes);
  std::memset(allocation.data, 0, variable.bytes);
  std::memcpy(allocation.data, variable.initial.data(), std::min<uint64_t>(variable.initial.size(), variable.bytes));
  markWritten(allocation, 0, variable.bytes, 0);
  return address;
}

const Program& Machine::programOf(Kernel& kernel, int device) {
  auto& program = kernel.programs[device];
  if (program != nullptr) return *program;
  const ptx::Module* module = moduleFor(*kernel.image);
  if (module == nullptr) throw DecodeError(readableName(kernel.name) + ": there is no PTX for this device");
  Decoder decoder(*module, profile().computeCapability, [this, &kernel, device](const ptx::Variable& variable) {
    return addressOf(*kernel.image, variable, device);
  });
  program = std::make_unique<Program>(decoder.decode(kernel.name));
  return *program;
}

bool Machine::withinLimits(Kernel& kernel, const Program& program, dim3 grid, dim3 block, size_t sharedBytes) {
  const uint64_t threads = static_cast<uint64_t>(block.x) * block.y * block.z;
  const size_t shared = sharedBytes + program.staticSharedBytes;
  const size_t limit = std::max<size_t>(49152, kernel.optedInSharedBytes + program.staticSharedBytes);
  std::string problem;
  if (threads < 1 || threads > 1024 || block.z > 64)
    problem = std::to_string(threads) + " threads in a block; the limit is 1024";
  if (program.maximumThreads != 0 && threads > static_cast<uint64_t>(program.maximumThreads)) {
    problem = std::to_string(threads) + " threads in a block; its launch bounds say " +
              std::to_string(program.maximumThreads);
  }
  if (grid.x < 1 || grid.x > 2147483647U || grid.y < 1 || grid.y > 65535 || grid.z < 1 || grid.z > 65535) {
    problem = "a grid of " + text({grid.x, grid.y, grid.z}) + " blocks; the limits are (2147483647, 65535, 65535)";
  }
  if (shared > limit || shared > profile().sharedBytesPerBlock || program.staticSharedBytes > 49152) {
    problem = std::to_string(shared) + " bytes of shared memory; it may use " +
              std::to_string(std::min(limit, profile().sharedBytesPerBlock)) + " as its attributes stand";
  }
  if (problem.empty()) return true;
  const std::string what = readableName(kernel.name) + " cannot be launched with " + problem;
  std::fprintf(stderr, "simulator: %s\n", what.c_str());
  if (firstReport.empty()) firstReport = "simulator: " + what;
  return false;
}

cudaError_t Machine::launch(Kernel& kernel, dim3 grid, dim3 block, void** arguments, size_t sharedBytes,
                            Stream* stream) {
  const ptx::Module* module = moduleFor(*kernel.image);
  if (module == nullptr) return cudaErrorNoKernelImageForDevice;
  const Program* program = nullptr;
  try {
    program = &programOf(kernel, stream->device);
  } catch (const std::runtime_error& error) {
    report(error.what());
    return cudaErrorInvalidPtx;
  }
  if (!withinLimits(kernel, *program, grid, block, sharedBytes)) return cudaErrorInvalidConfiguration;
  Launch launch;
  launch.program = program;
  launch.grid = {grid.x, grid.y, grid.z};
  launch.block = {block.x, block.y, block.z};
  launch.dynamicSharedBytes = static_cast<uint32_t>(sharedBytes);
  launch.memory = &memory;
  launch.schedule = &schedule;
  launch.device = stream->device;
  launch.multiprocessors = profile().multiprocessors;
  launch.checked = checked;
  size_t index = 0;
  for (const ptx::Variable& parameter : module->functions.at(kernel.name).parameters) {
    const size_t offset = roundUp(launch.parameters.size(), parameter.alignment);
    launch.parameters.resize(offset + parameter.bytes);
    std::memcpy(launch.parameters.data() + offset, arguments[index++], parameter.bytes);
  }
  const std::string name = readableName(kernel.name);
  const InjectedFault::Kind fault = injected_.next(name);
  if (fault == InjectedFault::Kind::refused) return cudaErrorLaunchOutOfResources;
  streams.push(stream, name, [this, &kernel, launch, fault] {
    if (fault == InjectedFault::Kind::none) return execute(kernel, launch);
    if (sticky == cudaSuccess) sticky = cudaErrorIllegalAddress;
  });
  return cudaSuccess;
}

void Machine::execute(Kernel& kernel, const Launch& launch) {
  if (sticky != cudaSuccess) return;
  Block block(launch);
  const uint64_t count = launch.grid.count();
  const bool shuffled = schedule.kind() == Schedule::Kind::random && count < (1U << 24);
  const std::vector<uint32_t> order = shuffled ? schedule.order(count) : std::vector<uint32_t>{};
  const bool backwards = schedule.kind() == Schedule::Kind::reverse;
  try {
    for (uint64_t i = 0; i < count; ++i) block.run(shuffled ? order[i] : backwards ? count - 1 - i : i);
  } catch (const Fault& fault) {
    const Warp& warp = block.running();
    const ptx::Module& module = *moduleFor(*kernel.image);
    const ptx::Location& location = launch.program->locations[warp.pc - 1];
    const int lane = fault.lane < 0 ? 0 : fault.lane;
    report(readableName(kernel.name) + " (" + describe(location, module) + ") on " + deviceName(launch.device) +
           ", block " + text(block.place()) + ", thread " + text(block.threadPlace(warp, lane)) + ": " + fault.what());
  }
}

}  // namespace alexnet::simulator
