#include "child_process.h"

#include <sys/types.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <vector>

#include "environment.h"

namespace alexnet::binding {
namespace {

// What it was started with, a zero after each argument. Nothing of one that is ending or has ended.
std::string commandLine(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/cmdline");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

void endChildrenWithThread(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).endsChildrenWith(info[0].As<Napi::String>());
}

void endChildrenWith(const std::string& argument) {
  std::ifstream file("/proc/thread-self/children");
  for (const pid_t child : std::vector<pid_t>(std::istream_iterator<pid_t>(file), {})) {
    const std::string line = commandLine(child);
    const bool isOurs = line.find('\0' + argument + '\0') != std::string::npos;
    if (!isOurs && !line.empty()) continue;
    if (isOurs) kill(child, SIGKILL);
    // One that is ending is so because this thread is: it is awaited as well, whatever it was.
    waitpid(child, nullptr, 0);
  }
}

}  // namespace alexnet::binding
