#include "coverage.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

#include "machine.h"

namespace alexnet::simulator {
namespace {

// By what a line of the file says, whether it ran.
std::map<std::string, bool> coverageOf(Machine& machine) {
  const std::lock_guard<Turns> lock(machine.mutex);
  std::map<std::string, bool> coverage;
  for (const auto& [host, kernel] : machine.kernels) {
    bool& launched = coverage["kernel " + readableName(kernel->name)];
    for (const auto& [device, program] : kernel->programs) {
      if (!program->reached.front()) continue;
      launched = true;
      const ptx::Module& module = *machine.moduleFor(*kernel->image);
      for (size_t i = 0; i < program->instructions.size(); ++i) {
        if (program->texts[i].rfind("bra", 0) == 0) continue;  // ways around something have the line of what is behind
        ptx::Location location = program->locations[i];
        location.callerFile = 0;
        bool& reached = coverage["line " + describe(location, module)];
        reached = reached || program->reached[i];
      }
    }
  }
  return coverage;
}

}  // namespace

void writeCoverageAtExit(Machine& machine) {
  static Machine* const watched = &machine;
  if (std::getenv("ALEXNET_SIMULATED_COVERAGE") == nullptr) return;
  std::atexit([] {
    std::ofstream file(std::getenv("ALEXNET_SIMULATED_COVERAGE") + ("/" + std::to_string(getpid())));
    for (const auto& [what, ran] : coverageOf(*watched)) file << what << (ran ? " 1\n" : " 0\n");
  });
}

}  // namespace alexnet::simulator
