// Events as opaque JavaScript values: send() and device.record() return one, device.wait() takes it.
#pragma once

#include <napi.h>

#include <memory>

#include "../core/event.h"

namespace alexnet::binding {

using EventHandle = Napi::External<std::shared_ptr<Event>>;

// Marks our values, so that wait() can tell them from others'.
constexpr napi_type_tag kEventTag = {0x616c65786e657431ULL, 0x6576656e74000001ULL};

inline Napi::Value eventValue(Napi::Env env, std::shared_ptr<Event> event) {
  auto held = std::make_unique<std::shared_ptr<Event>>(std::move(event));
  const auto value =
      EventHandle::New(env, held.get(), [](Napi::BasicEnv, std::shared_ptr<Event>* released) { delete released; });
  held.release();
  value.TypeTag(&kEventTag);
  return value;
}

inline std::shared_ptr<Event> eventFrom(const Napi::Value& value) {
  if (!value.IsExternal() || !value.As<EventHandle>().CheckTypeTag(&kEventTag)) {
    throw Error(kArgument, "wait takes an event that send() or record() returned.");
  }
  return *value.As<EventHandle>().Data();
}

}  // namespace alexnet::binding
