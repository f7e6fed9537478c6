// C++ errors become JavaScript errors with the same message and a `code`.
#pragma once

#include <napi.h>

#include <exception>

#include "../core/error.h"

namespace alexnet::binding {

inline Napi::Error toJavaScript(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  return error;
}

inline Napi::Error toJavaScript(Napi::Env env, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return toJavaScript(env, error.code().c_str(), error.what());
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
