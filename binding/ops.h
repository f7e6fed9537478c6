// The operations as JavaScript functions, each taking one options object.
#pragma once

#include <napi.h>

namespace alexnet::binding {

void exportOperations(Napi::Env env, Napi::Object exports);

}  // namespace alexnet::binding
