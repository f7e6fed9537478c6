#include "machine.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "coverage.h"

namespace alexnet::simulator {
namespace {

const char* setting(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

constexpr uint64_t kThreadsWithoutBounds = 65536 / 255 / 32 * 32;

uint64_t roundUp(uint64_t value, uint64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

}  // namespace

Machine& Machine::instance() {
  static Machine* machine = new Machine;  // never destroyed: kernels and threads may outlive static objects
  return *machine;
}

Machine::Machine()
    : schedule(setting("ALEXNET_SIMULATED_SCHEDULE", "forward")),
      streams(
          memory, schedule, [this](const std::string& what) { report(what); },
          [this](const std::string& line) { trace(line); }),
      devices(std::atoi(setting("ALEXNET_SIMULATED_GPUS", "1"))),
      memoryBytes(std::strtoull(setting("ALEXNET_SIMULATED_MEMORY", "6442450944"), nullptr, 10)),
      peers(std::string(setting("ALEXNET_SIMULATED_PEERS", "1")) != "0"),
      onePeerRefuses(std::string(setting("ALEXNET_SIMULATED_PEERS", "1")) == "one-way"),
      checked(std::string(setting("ALEXNET_SIMULATED_CHECKS", "1")) != "0") {
  memory.checked = checked;
  memory.block = std::strtoull(setting("ALEXNET_SIMULATED_BLOCK", "1"), nullptr, 10);
  if (const char* path = std::getenv("ALEXNET_SIMULATED_TRACE")) trace_ = std::fopen(path, "w");
  if (const char* path = std::getenv("ALEXNET_SIMULATED_LAUNCHES")) launches_ = std::fopen(path, "a");
  writeCoverageAtExit(*this);
}

void Machine::note(const Kernel& kernel, const Launch& launch) {
  std::fprintf(launches_,
               "{\"kernel\": \"%s\", \"name\": \"%s\", \"grid\": [%u, %u, %u], \"threads\": %u, \"sharedBytes\": %u}\n",
               kernel.name.c_str(), readableName(kernel.name).c_str(), launch.grid.x, launch.grid.y, launch.grid.z,
               launch.block.x * launch.block.y * launch.block.z,
               launch.dynamicSharedBytes + launch.program->staticSharedBytes);
  std::fflush(launches_);
}

void Machine::print(const std::string& text) {
  std::fprintf(stderr, "simulator: %s\n", text.c_str());
  if (const char* path = std::getenv("ALEXNET_SIMULATED_REPORT")) {
    if (std::FILE* file = std::fopen(path, "a")) {
      std::fprintf(file, "%s\n", text.c_str());
      std::fclose(file);
    }
  }
}

void Machine::report(const std::string& text) {
  print(text);
  if (sticky_ != cudaSuccess) return;  // the first one counts
  lastReport_ = "simulator: " + text;
  lastStatus_ = sticky_ = cudaErrorLaunchFailure;
}

cudaError_t Machine::stateOf(int device) const {
  if (sticky_ != cudaSuccess) return sticky_;
  const auto found = failed_.find(device);
  return found == failed_.end() ? cudaSuccess : found->second;
}

void Machine::trace(const std::string& line) {
  if (trace_ == nullptr) return;
  std::fprintf(trace_, "%s\n", line.c_str());
  std::fflush(trace_);
}

cudaError_t Machine::refuse(cudaError_t status, const std::string& text) {
  print(text);
  lastReport_ = "simulator: " + text;
  lastStatus_ = status;
  return status;
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

std::string Machine::beyondLimits(const Kernel& kernel, const Program& program, dim3 grid, dim3 block,
                                  size_t sharedBytes, int device) const {
  const uint64_t threads = static_cast<uint64_t>(block.x) * block.y * block.z;
  if (threads < 1 || threads > 1024 || block.z > 64) {
    return std::to_string(threads) + " threads in a block; the limit is 1024";
  }
  if (program.maximumThreads != 0 && threads > static_cast<uint64_t>(program.maximumThreads)) {
    return std::to_string(threads) + " threads in a block; its launch bounds say " +
           std::to_string(program.maximumThreads);
  }
  if (program.maximumThreads == 0 && threads > kThreadsWithoutBounds) {
    return std::to_string(threads) + " threads in a block; without launch bounds the compiler may give each 255 " +
           "registers, and a multiprocessor has those of " + std::to_string(kThreadsWithoutBounds);
  }
  if (grid.x < 1 || grid.x > 2147483647U || grid.y < 1 || grid.y > 65535 || grid.z < 1 || grid.z > 65535) {
    return "a grid of " + Dimensions{grid.x, grid.y, grid.z}.text() +
           " blocks; the limits are (2147483647, 65535, 65535)";
  }
  if (program.staticSharedBytes > 49152) {
    return std::to_string(program.staticSharedBytes) + " bytes of static shared memory; the limit is 49152";
  }
  const auto optedIn = kernel.optedInSharedBytes.find(device);
  const size_t own = optedIn == kernel.optedInSharedBytes.end() ? 0 : optedIn->second + program.staticSharedBytes;
  const size_t limit = std::min(std::max<size_t>(49152, own), profile().sharedBytesPerBlock);
  const size_t shared = sharedBytes + program.staticSharedBytes;
  if (shared <= limit) return "";
  return std::to_string(shared) + " bytes of shared memory; it may use " + std::to_string(limit) +
         " as its attributes stand";
}

cudaError_t Machine::prepare(Kernel& kernel, dim3 grid, dim3 block, void** arguments, size_t sharedBytes, int device,
                             Launch& launch) {
  const ptx::Module* module = moduleFor(*kernel.image);
  if (module == nullptr) return cudaErrorNoKernelImageForDevice;
  const Program* program = nullptr;
  try {
    program = &programOf(kernel, device);
  } catch (const std::runtime_error& error) {
    report(error.what());
    return cudaErrorInvalidPtx;
  }
  const std::string problem = beyondLimits(kernel, *program, grid, block, sharedBytes, device);
  if (!problem.empty()) {
    return refuse(cudaErrorInvalidConfiguration, readableName(kernel.name) + " cannot be launched with " + problem);
  }
  launch.program = program;
  launch.grid = {grid.x, grid.y, grid.z};
  launch.block = {block.x, block.y, block.z};
  launch.dynamicSharedBytes = static_cast<uint32_t>(sharedBytes);
  launch.memory = &memory;
  launch.schedule = &schedule;
  launch.device = device;
  launch.multiprocessors = profile().multiprocessors;
  launch.checked = checked;
  size_t index = 0;
  for (const ptx::Variable& parameter : module->functions.at(kernel.name).parameters) {
    const size_t offset = roundUp(launch.parameters.size(), parameter.alignment);
    launch.parameters.resize(offset + parameter.bytes);
    std::memcpy(launch.parameters.data() + offset, arguments[index++], parameter.bytes);
  }
  return cudaSuccess;
}

void Machine::noteGraph(size_t nodes) {
  if (launches_ == nullptr) return;
  std::fprintf(launches_, "{\"graph\": %zu}\n", nodes);
  std::fflush(launches_);
}

std::function<void()> Machine::workOf(Kernel& kernel, const Launch& launch) {
  if (launches_ != nullptr) return [] {};
  return [this, &kernel, launch] { execute(kernel, launch); };
}

cudaError_t Machine::launch(Kernel& kernel, dim3 grid, dim3 block, void** arguments, size_t sharedBytes,
                            Stream* stream) {
  Launch launch;
  const cudaError_t refused = prepare(kernel, grid, block, arguments, sharedBytes, stream->device, launch);
  if (refused != cudaSuccess) return refused;
  if (launches_ != nullptr && stream->capture == nullptr) {
    note(kernel, launch);
    return cudaSuccess;
  }
  const std::string name = readableName(kernel.name);
  std::function<void()> run = workOf(kernel, launch);
  if (stream->capture != nullptr) {
    if (injected_.refusesCapture(name, stream->device)) {
      return graphs.invalidate(*stream->capture, cudaErrorStreamCaptureUnsupported,
                               name + ", whose capture ALEXNET_SIMULATED_FAULT refuses");
    }
  } else if (const cudaError_t fault = applyFault(name, stream->device, run); fault != cudaSuccess) {
    return fault;
  }
  streams.push(stream, name, std::move(run), true);
  return cudaSuccess;
}

cudaError_t Machine::applyFault(const std::string& name, int device, std::function<void()>& run) {
  const InjectedFault::Kind fault = injected_.next(name, device);
  if (fault == InjectedFault::Kind::refused) return cudaErrorLaunchOutOfResources;
  if (fault == InjectedFault::Kind::none) return cudaSuccess;
  run = [this, device] {
    failed_[device] = cudaErrorIllegalAddress;
    streams.halt(device);
  };
  return cudaSuccess;
}

void Machine::execute(Kernel& kernel, Launch launch) {
  if (sticky_ != cudaSuccess) return;
  launch.counters = counterFiles.of(kernel, launch);
  if (launch.counters != nullptr) launch.counters->beginLaunch();
  Block block(launch);
  const uint64_t count = launch.grid.count();
  const bool shuffled = schedule.kind() == Schedule::Kind::random && count < (1U << 24);
  const std::vector<uint32_t> order = shuffled ? schedule.order(count) : std::vector<uint32_t>{};
  const bool backwards = schedule.kind() == Schedule::Kind::reverse;
  try {
    for (uint64_t i = 0; i < count; ++i) block.run(shuffled ? order[i] : backwards ? count - 1 - i : i);
  } catch (const Fault& fault) {
    reportFault(kernel, launch, block, fault);
  }
}

// Lanes that passed a barrier where others of their warp wait do what they should not do yet: the barrier is to blame.
void Machine::reportFault(const Kernel& kernel, const Launch& launch, const Block& block, const Fault& fault) {
  const Warp& warp = block.running();
  const ptx::Module& module = *moduleFor(*kernel.image);
  const auto source = [&](uint32_t place) { return describe(launch.program->locations[place], module); };
  uint32_t place = warp.pc - 1;
  int lane = std::max(fault.lane, 0);
  std::string what = fault.what();
  if (warp.heldAt != kNowhere && warp.waiting != 0) {
    what = "a barrier in divergent code: only some lanes of the warp reach it; lane " + std::to_string(lane) +
           " goes on to " + source(place) + ": " + what;
    place = warp.heldAt;
    lane = __builtin_ctz(warp.waiting);
  }
  report(readableName(kernel.name) + " (" + source(place) + ") on " + deviceName(launch.device) + ", block " +
         block.place().text() + ", thread " + block.threadPlace(warp, lane).text() + ": " + what);
}

}  // namespace alexnet::simulator
