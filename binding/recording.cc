#include "recording.h"

#include <vector>

#include "args.h"
#include "device.h"
#include "errors.h"

namespace alexnet::binding {
namespace {

constexpr const char* kExpected =
    "A recording takes an array of devices, at least one, and a function that queues work on them.";

std::vector<std::shared_ptr<Device>> devicesFrom(const Napi::Env& env, const Napi::Value& value) {
  const Napi::Function constructor = Environment::of(env).deviceConstructor.Value();
  std::vector<std::shared_ptr<Device>> devices;
  const uint32_t count = value.IsArray() ? value.As<Napi::Array>().Length() : 0;
  for (uint32_t i = 0; i < count; ++i) {
    const Napi::Value device = value.As<Napi::Array>()[i];
    if (!device.IsObject() || !device.As<Napi::Object>().InstanceOf(constructor)) break;
    devices.push_back(DeviceObject::Unwrap(device.As<Napi::Object>())->device());
  }
  if (count > 0 && devices.size() == count) return devices;
  throw Error(kArgument, kExpected);
}

}  // namespace

Napi::Function RecordingObject::define(Napi::Env env) {
  return DefineClass(
      env, "Recording",
      {InstanceMethod<&RecordingObject::replay>("replay"), InstanceMethod<&RecordingObject::dispose>("dispose")});
}

RecordingObject::RecordingObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<RecordingObject>(info) {
  guarded(info.Env(), [&] {
    auto devices = devicesFrom(info.Env(), info[0]);
    if (!info[1].IsFunction()) throw Error(kArgument, kExpected);
    recording_ = std::make_unique<Recording>(std::move(devices), [&] { info[1].As<Napi::Function>().Call({}); });
  });
}

void RecordingObject::replay(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    if (!recording_) throw Error(kDisposed, "The recording was used after dispose().");
    Arguments args("replay", info[0]);
    const uint32_t step = args.word("step");
    args.requireNoOthers();
    recording_->replay(step);
  });
}

void RecordingObject::dispose(const Napi::CallbackInfo&) { recording_.reset(); }

}  // namespace alexnet::binding
