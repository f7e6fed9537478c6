#include "environment.h"

#include <utility>

namespace alexnet::binding {

Environment::Environment(Napi::Env env) {
  toJavaScript_ =
      Napi::ThreadSafeFunction::New(env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}), "alexnet", 0, 1);
  toJavaScript_.Unref(env);
  // Hooks run last in, first out: this one, registered after the function's own, ends all queues before it goes.
  napi_add_env_cleanup_hook(env, &Environment::shutDown, this);
}

void Environment::shutDown(void* data) {
  auto* environment = static_cast<Environment*>(data);
  for (const auto& device : environment->devices_) device->close();
  environment->devices_.clear();
  environment->toJavaScript_.Abort();
}

void Environment::expect() {
  if (pending_++ == 0) toJavaScript_.Ref(tensorConstructor.Env());
}

void Environment::post(std::function<void(Napi::Env)> callback) {
  auto* owned = new std::function<void(Napi::Env)>(std::move(callback));
  const napi_status status =
      toJavaScript_.NonBlockingCall(owned, [this](Napi::Env env, Napi::Function, decltype(owned) function) {
        // The environment is going: nobody is left to tell, and what the callback refers to goes with it.
        if (env == nullptr) return;
        const std::unique_ptr<std::function<void(Napi::Env)>> guard(function);
        if (--pending_ == 0) toJavaScript_.Unref(env);
        (*function)(env);
      });
  // Refused during shut-down only. What `owned` refers to may not be released on this thread, and goes with the
  // environment.
  static_cast<void>(status);
}

}  // namespace alexnet::binding
