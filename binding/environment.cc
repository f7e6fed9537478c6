#include "environment.h"

#include <utility>

#include "child_process.h"

namespace alexnet::binding {

thread_local Environment::AtExit Environment::atExit_;

Environment::AtExit::~AtExit() {
  if (environment) environment->closeDevices();
}

Environment::Environment(Napi::Env env) {
  const auto next = Napi::Function::New(env, [this](const Napi::CallbackInfo& info) { runNext(info.Env()); });
  toJavaScript_ = Napi::ThreadSafeFunction::New(env, next, "alexnet", 0, 1);
  toJavaScript_.Unref(env);
  // Hooks run last in, first out: this one, registered after the function's own, ends all queues before it goes.
  napi_add_env_cleanup_hook(env, &Environment::shutDown, this);
  atExit_.environment = this;
}

void Environment::shutDown(void* data) {
  auto* environment = static_cast<Environment*>(data);
  atExit_.environment = nullptr;
  environment->closeDevices();
  for (const std::string& argument : environment->childArguments_) endChildrenWith(argument);
  // Nobody posts any more, and nobody is left to tell. References to JavaScript objects may go on this thread only.
  environment->posted_.clear();
  environment->toJavaScript_.Abort();
}

void Environment::closeDevices() {
  for (const auto& device : devices_) device->close();
  devices_.clear();
}

void Environment::expect() {
  if (pending_++ == 0) toJavaScript_.Ref(tensorConstructor.Env());
}

void Environment::post(std::function<void(Napi::Env)> callback) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    posted_.push_back(std::move(callback));
  }
  static_cast<void>(toJavaScript_.NonBlockingCall());  // refused during shut-down only, which clears what was posted
}

void Environment::runNext(Napi::Env env) {
  std::function<void(Napi::Env)> callback;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    callback = std::move(posted_.front());
    posted_.pop_front();
  }
  if (--pending_ == 0) toJavaScript_.Unref(env);
  callback(env);
}

}  // namespace alexnet::binding
