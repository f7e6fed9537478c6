// C++ errors become AlexNetErrors of lib/base/errors.ts, with the same code and message.
#pragma once

#include <napi.h>

#include <exception>

#include "../core/error.h"
#include "environment.h"

namespace alexnet::binding {

inline Napi::Error toJavaScript(Napi::Env env, const std::string& code, const std::string& message) {
  const Napi::FunctionReference& make = Environment::of(env).makeError;
  if (make.IsEmpty()) return Napi::Error::New(env, code + ": " + message);
  return {env, make.Call({Napi::String::New(env, code), Napi::String::New(env, message)})};
}

inline Napi::Error toJavaScript(Napi::Env env, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return toJavaScript(env, error.code(), error.what());
  } catch (const std::exception& error) {
    return toJavaScript(env, kOperation, error.what());
  }
}

// Runs a binding function and turns what it throws into JavaScript.
template <class Function>
auto guarded(Napi::Env env, Function function) -> decltype(function()) {
  try {
    return function();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw toJavaScript(env, std::current_exception());
  }
}

}  // namespace alexnet::binding
