#include "child_process.h"

#include <sys/types.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "environment.h"

namespace alexnet::binding {
namespace {

// What it was started with, a zero after each argument. Nothing of one that is starting, ending or has ended.
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
    // One without a command line has ended, is ending, or is just starting: that shows in a moment. One that is ending is
    // so because this thread is, and is awaited as well, whatever it was.
    while (waitpid(child, nullptr, WNOHANG) == 0) {
      const std::string line = commandLine(child);
      if (line.find('\0' + argument + '\0') != std::string::npos) {
        kill(child, SIGKILL);
      } else if (!line.empty()) {
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
}

}  // namespace alexnet::binding
