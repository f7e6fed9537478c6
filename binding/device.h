// The JavaScript object that stands for a device.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "../core/backend.h"

namespace alexnet::binding {

// All kinds of device in this build, the CPU first. Defined in addon.cc, which alone knows which there are.
const std::vector<const Backend*>& backends();

class DeviceObject : public Napi::ObjectWrap<DeviceObject> {
 public:
  static Napi::Function define(Napi::Env env);
  // new Device(kind, index, threads)
  explicit DeviceObject(const Napi::CallbackInfo& info);

  const std::shared_ptr<Device>& device() const { return device_; }

 private:
  Napi::Value id(const Napi::CallbackInfo& info);
  Napi::Value notes(const Napi::CallbackInfo& info);
  Napi::Value hasTf32(const Napi::CallbackInfo& info);
  Napi::Value memory(const Napi::CallbackInfo& info);
  Napi::Value allocate(const Napi::CallbackInfo& info);
  Napi::Value allocateHost(const Napi::CallbackInfo& info);
  Napi::Value freeBytes(const Napi::CallbackInfo& info);
  Napi::Value needOf(const Napi::CallbackInfo& info);
  void reserve(const Napi::CallbackInfo& info);
  Napi::Value outline(const Napi::CallbackInfo& info);
  Napi::Value record(const Napi::CallbackInfo& info);
  Napi::Value timed(const Napi::CallbackInfo& info);
  void wait(const Napi::CallbackInfo& info);
  Napi::Value synchronize(const Napi::CallbackInfo& info);
  Napi::Value submitted(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  // A new tensor, from (shape, dataType): with memory, or an outline.
  Napi::Value tensorFrom(const Napi::CallbackInfo& info, bool hasMemory);

  std::shared_ptr<Device> device_;
};

Napi::Value listDevices(const Napi::CallbackInfo& info);
Napi::Value cudaAvailability(const Napi::CallbackInfo& info);

}  // namespace alexnet::binding
