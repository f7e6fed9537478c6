// What the addon keeps for each JavaScript environment (the main thread and every worker have one of their own).
#pragma once

#include <napi.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "../core/device.h"

namespace alexnet::binding {

class Environment {
 public:
  explicit Environment(Napi::Env env);
  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  // From any thread: runs `callback` on the JavaScript thread. One expect() goes before each post(), on the
  // JavaScript thread; between the two the process stays alive.
  void expect();
  void post(std::function<void(Napi::Env)> callback);

  void opened(const std::shared_ptr<Device>& device) { devices_.insert(device); }
  void closed(const std::shared_ptr<Device>& device) { devices_.erase(device); }

  // Child processes of this thread that have `argument` end when it does.
  void endsChildrenWith(const std::string& argument) { childArguments_.insert(argument); }

  Napi::FunctionReference tensorConstructor;
  Napi::FunctionReference deviceConstructor;
  Napi::FunctionReference makeError;  // (code, message) => AlexNetError, once lib/device/native.ts has handed it over

 private:
  // Ends the queues of a process that exits without taking its environments down (process.exit(), and exit() in any
  // library): objects of a thread go before static ones, so before the code that oneDNN compiled for running primitives.
  struct AtExit {
    ~AtExit();
    Environment* environment = nullptr;
  };
  static thread_local AtExit atExit_;

  static void shutDown(void* environment);
  void closeDevices();
  void runNext(Napi::Env env);

  Napi::ThreadSafeFunction toJavaScript_;  // calls runNext() on the JavaScript thread
  std::mutex mutex_;
  std::deque<std::function<void(Napi::Env)>> posted_;  // ours, not the function's, which would leak what it cannot call
  int pending_ = 0;                                    // JavaScript thread only
  std::unordered_set<std::shared_ptr<Device>> devices_;
  std::unordered_set<std::string> childArguments_;
};

}  // namespace alexnet::binding
