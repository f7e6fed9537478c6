#include "child_process.h"

#include <sys/types.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>

#include "environment.h"

namespace alexnet::binding {
namespace {

bool hasArgument(pid_t process, const std::string& argument) {
  std::ifstream file("/proc/" + std::to_string(process) + "/cmdline");
  for (std::string each; std::getline(file, each, '\0');) {
    if (each == argument) return true;
  }
  return false;
}

}  // namespace

void endChildrenWithThread(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).endsChildrenWith(info[0].As<Napi::String>());
}

void endChildrenWith(const std::string& argument) {
  std::ifstream children("/proc/thread-self/children");
  for (pid_t child; children >> child;) {
    if (!hasArgument(child, argument)) continue;
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
}

}  // namespace alexnet::binding
