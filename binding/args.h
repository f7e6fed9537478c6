// Reads an operation's options object field by field. Errors name the operation and the field.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../core/device.h"

namespace alexnet::binding {

class Arguments {
 public:
  Arguments(const char* operation, const Napi::Value& options);

  Tensor tensor(const char* field);    // required
  Tensor optional(const char* field);  // an empty tensor where undefined or null
  // With the device that it is on, which may be another one than that of the tensors before it.
  std::pair<Tensor, std::shared_ptr<Device>> placedTensor(const char* field);
  double number(const char* field);
  double number(const char* field, double otherwise);
  int64_t integer(const char* field);
  int64_t integer(const char* field, int64_t otherwise);
  uint32_t word(const char* field);  // an integer of 32 bits
  uint64_t seed(const char* field);  // a bigint, or an integer a double holds exactly
  std::vector<int64_t> integers(const char* field);
  std::vector<int64_t> integers(const char* field, std::vector<int64_t> otherwise);
  Activation activation(const char* field, Activation otherwise);
  bool flag(const char* field, bool otherwise);
  std::vector<Arguments> list(const char* field);
  Arguments object(const char* field);  // options within these

  [[noreturn]] void reject(const char* field, const char* expected) const;

  // Fails where there is a field that nothing has asked for. To be called when all have been read.
  void requireNoOthers() const;

  // The device of all tensors read so far. Fails where they are on several.
  const std::shared_ptr<Device>& device() const;

 private:
  Napi::Value get(const char* field);
  void meet(const char* field, const std::shared_ptr<Device>& device);

  const char* operation_;
  std::string within_;  // "lrn." for those of the object of that name
  Napi::Object options_;
  std::vector<const char*> known_;                   // the fields that were asked for
  uint32_t given_ = 0;                               // those of them that are there
  std::shared_ptr<std::shared_ptr<Device>> device_;  // shared with the entries of a list
};

}  // namespace alexnet::binding
