// The JavaScript object that stands for a recording.
#pragma once

#include <napi.h>

#include <memory>

#include "../core/recording.h"

namespace alexnet::binding {

class RecordingObject : public Napi::ObjectWrap<RecordingObject> {
 public:
  static Napi::Function define(Napi::Env env);
  // new Recording(devices, work)
  explicit RecordingObject(const Napi::CallbackInfo& info);

 private:
  void replay(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  std::unique_ptr<Recording> recording_;
};

}  // namespace alexnet::binding
