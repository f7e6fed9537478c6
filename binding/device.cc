#include "device.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "environment.h"
#include "errors.h"
#include "event.h"
#include "host_memory.h"
#include "tensor.h"

namespace alexnet::binding {
namespace {

Napi::Array arrayOf(Napi::Env env, const std::vector<std::string>& texts) {
  auto array = Napi::Array::New(env, texts.size());
  for (uint32_t i = 0; i < texts.size(); ++i) array[i] = texts[i];
  return array;
}

std::vector<size_t> sizesFrom(const Napi::Value& value) {
  std::vector<size_t> sizes;
  const uint32_t count = value.IsArray() ? value.As<Napi::Array>().Length() : 0;
  for (uint32_t i = 0; i < count; ++i) {
    const Napi::Value size = value.As<Napi::Array>()[i];
    if (!size.IsNumber() || !(size.As<Napi::Number>().DoubleValue() >= 0)) break;
    sizes.push_back(static_cast<size_t>(size.As<Napi::Number>().Int64Value()));
  }
  if (value.IsArray() && sizes.size() == count) return sizes;
  throw Error(kArgument, "The sizes of tensors must be an array of numbers of bytes, each at least 0.");
}

}  // namespace

Napi::Function DeviceObject::define(Napi::Env env) {
  return DefineClass(
      env, "Device",
      {InstanceAccessor<&DeviceObject::id>("id"), InstanceAccessor<&DeviceObject::notes>("notes"),
       InstanceAccessor<&DeviceObject::hasTf32>("hasTf32"), InstanceMethod<&DeviceObject::memory>("memory"),
       InstanceMethod<&DeviceObject::allocate>("allocate"), InstanceMethod<&DeviceObject::outline>("outline"),
       InstanceMethod<&DeviceObject::record>("record"), InstanceMethod<&DeviceObject::freeBytes>("freeBytes"),
       InstanceMethod<&DeviceObject::needOf>("needOf"), InstanceMethod<&DeviceObject::reserve>("reserve"),
       InstanceMethod<&DeviceObject::wait>("wait"), InstanceMethod<&DeviceObject::timed>("timed"),
       InstanceMethod<&DeviceObject::synchronize>("synchronize"), InstanceMethod<&DeviceObject::submitted>("submitted"),
       InstanceMethod<&DeviceObject::allocateHost>("allocateHost"), InstanceMethod<&DeviceObject::close>("close")});
}

DeviceObject::DeviceObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<DeviceObject>(info) {
  guarded(info.Env(), [&] {
    const std::string kind = info[0].ToString().Utf8Value();
    const int index = info[1].ToNumber().Int32Value();
    const int threads = info[2].IsNumber() ? info[2].As<Napi::Number>().Int32Value() : 0;
    for (const Backend* backend : backends()) {
      if (kind == backend->kind()) device_ = backend->open(index, threads);
    }
    if (!device_) throw Error(kDevice, "This build has no '" + kind + "' devices.");
    Environment::of(info.Env()).opened(device_);
  });
}

Napi::Value DeviceObject::id(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), device_->id()); }

Napi::Value DeviceObject::notes(const Napi::CallbackInfo& info) { return arrayOf(info.Env(), device_->notes()); }

Napi::Value DeviceObject::hasTf32(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), device_->hasTf32());
}

Napi::Value DeviceObject::memory(const Napi::CallbackInfo& info) {
  auto object = Napi::Object::New(info.Env());
  object.Set("bytes", static_cast<double>(device_->memory().bytes));
  object.Set("allocations", static_cast<double>(device_->memory().allocations));
  return object;
}

Napi::Value DeviceObject::tensorFrom(const Napi::CallbackInfo& info, bool hasMemory) {
  return guarded(info.Env(), [&] {
    Tensor tensor{nullptr, 0, dataTypeFrom(info[1]), shapeFrom(info[0])};
    tensor.buffer = hasMemory ? device_->allocate(tensor.bytes()) : device_->outline(tensor.bytes());
    return TensorObject::create(info.Env(), std::move(tensor), device_, hasMemory);
  });
}

Napi::Value DeviceObject::allocate(const Napi::CallbackInfo& info) { return tensorFrom(info, true); }

Napi::Value DeviceObject::allocateHost(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const double bytes = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 0;
    if (!(bytes >= 1) || bytes > 1e15 || bytes != std::trunc(bytes)) {
      throw Error(kArgument, "allocateHost takes a number of bytes, an integer of at least 1.");
    }
    auto memory = device_->allocateHost(static_cast<size_t>(bytes));
    if (memory) return arrayBufferOf(info.Env(), std::move(memory));
    return Napi::ArrayBuffer::New(info.Env(), static_cast<size_t>(bytes));
  });
}

Napi::Value DeviceObject::freeBytes(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), static_cast<double>(device_->freeBytes())); });
}

Napi::Value DeviceObject::needOf(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const double recorded = info[1].IsUndefined() ? 0 : info[1].ToNumber().DoubleValue();
    if (!(recorded >= 0) || recorded > 1e9) throw Error(kArgument, "needOf takes a number of layers' passes.");
    return Napi::Number::New(info.Env(),
                             static_cast<double>(device_->needOf(sizesFrom(info[0]), static_cast<size_t>(recorded))));
  });
}

void DeviceObject::reserve(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] { device_->reserve(sizesFrom(info[0])); });
}

Napi::Value DeviceObject::outline(const Napi::CallbackInfo& info) { return tensorFrom(info, false); }

Napi::Value DeviceObject::record(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return eventValue(info.Env(), device_->record("record")); });
}

void DeviceObject::wait(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] { device_->wait(eventFrom(info[0]), "wait"); });
}

Napi::Value DeviceObject::timed(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsFunction()) throw Error(kArgument, "timed takes a function that queues what is to be timed.");
    const auto begin = device_->stamp();
    info[0].As<Napi::Function>().Call({});
    const auto end = device_->stamp();
    const auto milliseconds = std::make_shared<double>();
    return promiseFor(
        info.Env(),
        [&](Device::Completion completion) { device_->elapsed(begin, end, milliseconds.get(), std::move(completion)); },
        {}, [milliseconds](Napi::Env env) { return Napi::Number::New(env, *milliseconds); });
  });
}

Napi::Value DeviceObject::synchronize(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return promiseFor(info.Env(), [&](Device::Completion completion) { device_->synchronize(std::move(completion)); });
  });
}

Napi::Value DeviceObject::submitted(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return promiseFor(info.Env(), [&](Device::Completion completion) { device_->submitted(std::move(completion)); });
  });
}

void DeviceObject::close(const Napi::CallbackInfo& info) {
  device_->close();
  Environment::of(info.Env()).closed(device_);
}

Napi::Value listDevices(const Napi::CallbackInfo& info) {
  auto list = Napi::Array::New(info.Env());
  for (const Backend* backend : backends()) {
    for (const DeviceDescription& description : backend->list()) {
      auto object = Napi::Object::New(info.Env());
      object.Set("id", description.id);
      object.Set("kind", backend->kind());
      object.Set("name", description.name);
      object.Set("memoryBytes", static_cast<double>(description.memoryBytes));
      object.Set("nativeBfloat16", description.nativeBfloat16);
      if (description.threads > 0) object.Set("threads", description.threads);
      if (!description.threadsLimitedBy.empty()) object.Set("threadsLimitedBy", description.threadsLimitedBy);
      if (!description.computeCapability.empty()) {
        object.Set("computeCapability", description.computeCapability);
        object.Set("multiprocessors", description.multiprocessors);
        object.Set("pciAddress", description.pciAddress);
        object.Set("peers", arrayOf(info.Env(), description.peers));
      }
      if (!description.arithmetic.empty()) object.Set("arithmetic", description.arithmetic);
      list[list.Length()] = object;
    }
  }
  return list;
}

Napi::Value cudaAvailability(const Napi::CallbackInfo& info) {
  Availability availability;
  availability.reason = "not-built";
  availability.message =
      "This build has no CUDA part: nvcc was not found when it was compiled. Install the CUDA toolkit and run "
      "'npm rebuild alexnet-cuda'.";
  for (const Backend* backend : backends()) {
    if (std::strcmp(backend->kind(), "cuda") == 0) availability = backend->availability();
  }
  auto object = Napi::Object::New(info.Env());
  object.Set("reason", availability.reason);
  object.Set("message", availability.message);
  object.Set("runtimeVersion", availability.runtimeVersion);
  object.Set("driverVersion", availability.driverVersion);
  object.Set("builtFor", availability.builtFor);
  return object;
}

}  // namespace alexnet::binding
