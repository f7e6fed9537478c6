#include "file_lock.h"

#include <sys/file.h>

#include <cerrno>

namespace alexnet::binding {

Napi::Value lockFile(const Napi::CallbackInfo& info) {
  const int descriptor = info[0].As<Napi::Number>().Int32Value();
  const bool taken = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  return Napi::Boolean::New(info.Env(), !taken);  // also true on a file system without locks: it cannot tell
}

}  // namespace alexnet::binding
