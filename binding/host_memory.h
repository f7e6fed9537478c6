// A device's host memory as an ArrayBuffer, and the way back from one.
#pragma once

#include <napi.h>

#include <memory>
#include <utility>

#include "../core/host_memory.h"

namespace alexnet::binding {

// Marks our buffers.
constexpr napi_type_tag kHostMemoryTag = {0x616c65786e657431ULL, 0x686f73746d656d01ULL};

// Lives as long as the buffer. Where the engine takes no memory of others, the buffer is an ordinary one.
inline Napi::Value arrayBufferOf(Napi::Env env, std::shared_ptr<HostMemory> memory) {
  using Held = std::shared_ptr<HostMemory>;
  auto held = std::make_unique<Held>(std::move(memory));
  const auto forget = [](napi_env, void*, void* hint) { delete static_cast<Held*>(hint); };
  const size_t bytes = (*held)->bytes;
  napi_value buffer = nullptr;
  const napi_status status =
      napi_create_external_arraybuffer(env, (*held)->address, bytes, forget, held.get(), &buffer);
  if (status == napi_no_external_buffers_allowed) return Napi::ArrayBuffer::New(env, bytes);
  NAPI_THROW_IF_FAILED(env, status, env.Undefined());
  Held* const kept = held.release();
  NAPI_THROW_IF_FAILED(env, napi_wrap(env, buffer, kept, nullptr, nullptr, nullptr), env.Undefined());
  NAPI_THROW_IF_FAILED(env, napi_type_tag_object(env, buffer, &kHostMemoryTag), env.Undefined());
  return {env, buffer};
}

// Null for any other buffer.
inline std::shared_ptr<HostMemory> hostMemoryOf(napi_env env, napi_value buffer) {
  bool isOurs = false;
  void* held = nullptr;
  if (napi_check_object_type_tag(env, buffer, &kHostMemoryTag, &isOurs) != napi_ok || !isOurs) return nullptr;
  if (napi_unwrap(env, buffer, &held) != napi_ok) return nullptr;
  return *static_cast<std::shared_ptr<HostMemory>*>(held);
}

}  // namespace alexnet::binding
