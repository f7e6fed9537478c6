// The JavaScript object that stands for a tensor.
#pragma once

#include <napi.h>

#include <memory>

#include "../core/device.h"

namespace alexnet::binding {

class TensorObject : public Napi::ObjectWrap<TensorObject> {
 public:
  static Napi::Function define(Napi::Env env);
  // `owner`: the object brought the memory into being, so the collector is told of its size; views are not.
  static Napi::Value create(Napi::Env env, Tensor tensor, std::shared_ptr<Device> device, bool owner);
  // The C++ side of a value, or null where it is something else.
  static TensorObject* from(const Napi::Value& value);

  explicit TensorObject(const Napi::CallbackInfo& info);
  void Finalize(Napi::BasicEnv env) override;

  // Fails with ALEXNET_DISPOSED after dispose(), naming the tensor.
  const Tensor& tensor(const std::string& name = "The tensor") const;
  const std::shared_ptr<Device>& device() const { return device_; }

 private:
  Napi::Value shape(const Napi::CallbackInfo& info);
  Napi::Value dataType(const Napi::CallbackInfo& info);
  Napi::Value deviceId(const Napi::CallbackInfo& info);
  Napi::Value view(const Napi::CallbackInfo& info);
  void write(const Napi::CallbackInfo& info);
  Napi::Value writeBeside(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  // Tells the garbage collector how much memory outside its heap hangs on this object.
  void report(Napi::BasicEnv env, int64_t bytes);

  Tensor tensor_;
  std::shared_ptr<Device> device_;
  int64_t reportedBytes_ = 0;
};

Shape shapeFrom(const Napi::Value& value);
DataType dataTypeFrom(const Napi::Value& value);
// A promise, and the completion that settles it from the queue's thread: with `result` of the environment, or `undefined`.
Napi::Promise promiseFor(Napi::Env env, const std::function<void(Device::Completion)>& begin,
                         Napi::ObjectReference hold = {}, std::function<Napi::Value(Napi::Env)> result = {});

}  // namespace alexnet::binding
