// Errors that reach the user: a stable code, and a message that says what was expected, what arrived, what to do.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace alexnet {

class Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& message) : std::runtime_error(message), code_(std::move(code)) {}
  const std::string& code() const { return code_; }

 private:
  std::string code_;
};

// One code per line of lib/base/errors.ts.
inline constexpr const char* kArgument = "ALEXNET_ARGUMENT";
inline constexpr const char* kShape = "ALEXNET_SHAPE";
inline constexpr const char* kDataType = "ALEXNET_DATA_TYPE";
inline constexpr const char* kDevice = "ALEXNET_DEVICE";
inline constexpr const char* kLabel = "ALEXNET_LABEL";
inline constexpr const char* kMemory = "ALEXNET_MEMORY";
inline constexpr const char* kDisposed = "ALEXNET_DISPOSED";
inline constexpr const char* kOperation = "ALEXNET_OPERATION";
inline constexpr const char* kPeer = "ALEXNET_PEER";

}  // namespace alexnet
