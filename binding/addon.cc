// The addon's table of exports, and the one place that knows which kinds of device this build has.
#include <napi.h>

#include "../cpu/cpu.h"
#ifdef ALEXNET_CUDA
#include "../cuda/cuda.h"
#endif
#include "child_process.h"
#include "device.h"
#include "environment.h"
#include "file_lock.h"
#include "ops.h"
#include "recording.h"
#include "tensor.h"

namespace alexnet::binding {

const std::vector<const Backend*>& backends() {
  static const std::vector<const Backend*> all = {
      &cpu::backend(),
#ifdef ALEXNET_CUDA
      &cuda::backend(),
#endif
  };
  return all;
}

namespace {

void makeErrorsWith(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).makeError = Napi::Persistent(info[0].As<Napi::Function>());
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment(env);
  env.SetInstanceData(environment);
  const Napi::Function device = DeviceObject::define(env);
  const Napi::Function tensor = TensorObject::define(env);
  environment->deviceConstructor = Napi::Persistent(device);
  environment->tensorConstructor = Napi::Persistent(tensor);
  exports.Set("makeErrorsWith", Napi::Function::New(env, makeErrorsWith, "makeErrorsWith"));
  exports.Set("Device", device);
  exports.Set("Recording", RecordingObject::define(env));
  exports.Set("listDevices", Napi::Function::New(env, listDevices, "listDevices"));
  exports.Set("cudaAvailability", Napi::Function::New(env, cudaAvailability, "cudaAvailability"));
  exports.Set("endChildrenWithThread", Napi::Function::New(env, endChildrenWithThread, "endChildrenWithThread"));
  exports.Set("lockFile", Napi::Function::New(env, lockFile, "lockFile"));
  exportOperations(env, exports);
  return exports;
}

}  // namespace
}  // namespace alexnet::binding

static Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  return alexnet::binding::initialize(env, exports);
}

NODE_API_MODULE(alexnet, initialize)
