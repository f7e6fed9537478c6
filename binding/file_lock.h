// Locks of files, which Node.js has none of.
#pragma once

#include <napi.h>

namespace alexnet::binding {

// lockFile(descriptor): takes the file for this process until the descriptor is closed, at the latest when the process
// ends, however it ends. False where another holds it.
Napi::Value lockFile(const Napi::CallbackInfo& info);

}  // namespace alexnet::binding
