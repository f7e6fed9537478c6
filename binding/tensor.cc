#include "tensor.h"

#include <cmath>
#include <utility>

#include "environment.h"
#include "errors.h"
#include "event.h"
#include "host_memory.h"

namespace alexnet::binding {
namespace {

// Marks our objects, so that from() can tell them from others.
constexpr napi_type_tag kTensorTag = {0x616c65786e657431ULL, 0x74656e736f720001ULL};

// The kind of array that goes with a type.
const char* arrayFor(DataType type) {
  switch (type) {
    case DataType::float32: return "Float32Array";
    case DataType::bfloat16: return "Uint16Array";
    case DataType::int32: return "Int32Array";
    case DataType::uint8: return "Uint8Array";
  }
  return "";
}

bool fits(napi_typedarray_type array, DataType type) {
  switch (type) {
    case DataType::float32: return array == napi_float32_array;
    case DataType::bfloat16: return array == napi_uint16_array;
    case DataType::int32: return array == napi_int32_array;
    case DataType::uint8: return array == napi_uint8_array || array == napi_uint8_clamped_array;
  }
  return false;
}

// The bytes of an array that a tensor is written from or read into. Its memory must stay where it is while the copy is
// queued, which that of a resizable buffer does not.
HostBytes bytesOf(const Napi::Value& value, const Tensor& tensor) {
  if (!value.IsTypedArray()) throw Error(kArgument, "Expected a typed array.");
  napi_typedarray_type type;
  void* address = nullptr;
  napi_value buffer = nullptr;
  const napi_status status = napi_get_typedarray_info(value.Env(), value, &type, nullptr, &address, &buffer, nullptr);
  NAPI_THROW_IF_FAILED(value.Env(), status, nullptr);
  if (!fits(type, tensor.type)) {
    const Napi::Value kind = value.As<Napi::Object>().Get("constructor").As<Napi::Object>().Get("name");
    throw Error(kDataType, std::string("A tensor of type ") + nameOf(tensor.type) + " takes a " +
                               arrayFor(tensor.type) + ", got a " + kind.ToString().Utf8Value() + ".");
  }
  if (Napi::Object(value.Env(), buffer).Get("resizable").ToBoolean()) {
    throw Error(kArgument,
                "The array lies in a resizable ArrayBuffer, which may go away under the queue. Use a fixed one.");
  }
  const size_t bytes = value.As<Napi::TypedArray>().ByteLength();
  if (bytes == tensor.bytes()) return {address, hostMemoryOf(value.Env(), buffer)};
  throw Error(kShape, "A tensor of shape " + toString(tensor.shape) + " and type " + nameOf(tensor.type) + " takes " +
                          std::to_string(tensor.bytes()) + " bytes, the array has " + std::to_string(bytes) + ".");
}

// Keeps the array alive until it is called, which must happen once; the reference may only go on the JavaScript thread.
std::function<void()> releaseOf(const Napi::Value& array) {
  Environment& environment = Environment::of(array.Env());
  const auto hold = std::make_shared<Napi::ObjectReference>(Napi::Persistent(array.As<Napi::Object>()));
  environment.expect();
  return [&environment, hold] { environment.post([hold](Napi::Env) { hold->Reset(); }); };
}

}  // namespace

Shape shapeFrom(const Napi::Value& value) {
  if (!value.IsArray()) throw Error(kArgument, "shape must be an array of positive integers.");
  const auto array = value.As<Napi::Array>();
  Shape shape;
  if (array.Length() < 1 || array.Length() > 4) throw Error(kShape, "shape must have 1 to 4 dimensions.");
  double elements = 1;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value entry = array[i];
    const double dimension = entry.IsNumber() ? entry.As<Napi::Number>().DoubleValue() : 0;
    if (!(dimension >= 1) || dimension > 2147483647.0 ||
        dimension != static_cast<double>(static_cast<int64_t>(dimension))) {
      throw Error(kShape, "Each dimension of a shape must be an integer from 1 to 2147483647.");
    }
    elements *= dimension;
    shape.push_back(static_cast<int64_t>(dimension));
  }
  if (elements > 1e15) throw Error(kShape, "A tensor of shape " + toString(shape) + " is too large.");
  return shape;
}

DataType dataTypeFrom(const Napi::Value& value) {
  const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  for (const DataType type : {DataType::float32, DataType::bfloat16, DataType::int32, DataType::uint8}) {
    if (name == nameOf(type)) return type;
  }
  throw Error(kDataType, "dataType must be 'float32', 'bfloat16', 'int32' or 'uint8', got '" + name + "'.");
}

Napi::Promise promiseFor(Napi::Env env, const std::function<void(Device::Completion)>& begin,
                         Napi::ObjectReference hold, std::function<Napi::Value(Napi::Env)> result) {
  struct Pending {
    Napi::Promise::Deferred deferred;
    Napi::ObjectReference hold;
    std::function<Napi::Value(Napi::Env)> result;
  };
  Environment& environment = Environment::of(env);
  const auto pending =
      std::make_shared<Pending>(Pending{Napi::Promise::Deferred::New(env), std::move(hold), std::move(result)});
  const auto completion = [&environment, pending](std::exception_ptr failure) {
    environment.post([pending, failure](Napi::Env current) {
      pending->hold.Reset();
      if (failure) {
        pending->deferred.Reject(toJavaScript(current, failure).Value());
      } else {
        pending->deferred.Resolve(pending->result ? pending->result(current) : current.Undefined());
      }
    });
  };
  try {
    begin(completion);
  } catch (...) {
    pending->deferred.Resolve(env.Undefined());  // nobody sees the promise, but node keeps it until it is settled
    throw;
  }
  environment.expect();
  return pending->deferred.Promise();
}

Napi::Function TensorObject::define(Napi::Env env) {
  return DefineClass(
      env, "Tensor",
      {InstanceAccessor<&TensorObject::shape>("shape"), InstanceAccessor<&TensorObject::dataType>("dataType"),
       InstanceAccessor<&TensorObject::deviceId>("deviceId"), InstanceMethod<&TensorObject::view>("view"),
       InstanceMethod<&TensorObject::write>("write"), InstanceMethod<&TensorObject::writeBeside>("writeBeside"),
       InstanceMethod<&TensorObject::read>("read"), InstanceMethod<&TensorObject::dispose>("dispose")});
}

Napi::Value TensorObject::create(Napi::Env env, Tensor tensor, std::shared_ptr<Device> device, bool owner) {
  const Napi::Object object = Environment::of(env).tensorConstructor.New({});
  TensorObject* self = Unwrap(object);
  self->tensor_ = std::move(tensor);
  self->device_ = std::move(device);
  if (owner) self->report(env, static_cast<int64_t>(self->tensor_.bytes()));
  return object;
}

TensorObject* TensorObject::from(const Napi::Value& value) {
  if (!value.IsObject()) return nullptr;
  const auto object = value.As<Napi::Object>();
  return object.CheckTypeTag(&kTensorTag) ? Unwrap(object) : nullptr;
}

TensorObject::TensorObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<TensorObject>(info) {
  info.This().As<Napi::Object>().TypeTag(&kTensorTag);
}

const Tensor& TensorObject::tensor(const std::string& name) const {
  if (!tensor_) throw Error(kDisposed, name + " was used after dispose().");
  return tensor_;
}

Napi::Value TensorObject::shape(const Napi::CallbackInfo& info) {
  auto array = Napi::Array::New(info.Env());
  for (uint32_t i = 0; i < tensor_.shape.size(); ++i) array[i] = static_cast<double>(tensor_.shape[i]);
  return array;
}

Napi::Value TensorObject::dataType(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), nameOf(tensor_.type));
}

Napi::Value TensorObject::deviceId(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), device_ ? device_->id() : "");
}

Napi::Value TensorObject::view(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const double offset = info[2].IsUndefined() ? 0 : info[2].ToNumber().DoubleValue();
    if (!(offset >= 0) || offset > 9e15 || offset != std::trunc(offset)) {
      throw Error(kArgument, "byteOffset must be a non-negative integer.");
    }
    return create(info.Env(), tensor().view(shapeFrom(info[0]), dataTypeFrom(info[1]), static_cast<size_t>(offset)),
                  device_, false);
  });
}

void TensorObject::write(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    HostBytes source = bytesOf(info[0], tensor());
    device_->write(tensor_, std::move(source), releaseOf(info[0]));
  });
}

Napi::Value TensorObject::writeBeside(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    HostBytes source = bytesOf(info[0], tensor());
    auto after = info[1].IsUndefined() ? nullptr : eventFrom(info[1]);
    return eventValue(info.Env(),
                      device_->writeBeside(tensor_, std::move(source), std::move(after), releaseOf(info[0])));
  });
}

Napi::Value TensorObject::read(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    HostBytes destination = bytesOf(info[0], tensor());
    return promiseFor(
        info.Env(),
        [&](Device::Completion completion) { device_->read(tensor_, std::move(destination), std::move(completion)); },
        Napi::Persistent(info[0].As<Napi::Object>()));
  });
}

void TensorObject::dispose(const Napi::CallbackInfo& info) {
  tensor_.buffer.reset();
  report(info.Env(), 0);
}

void TensorObject::Finalize(Napi::BasicEnv env) { report(env, 0); }

void TensorObject::report(Napi::BasicEnv env, int64_t bytes) {
  if (bytes != reportedBytes_) Napi::MemoryManagement::AdjustExternalMemory(env, bytes - reportedBytes_);
  reportedBytes_ = bytes;
}

}  // namespace alexnet::binding
