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
    const bool isOurs = hasArgument(child, argument);
    if (isOurs) kill(child, SIGKILL);
    // Of one that has ended already the arguments are gone. Whatever it was, this thread started it, and is ending.
    waitpid(child, nullptr, isOurs ? 0 : WNOHANG);
  }
}

}  // namespace alexnet::binding
