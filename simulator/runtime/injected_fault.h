// A fault that ALEXNET_SIMULATED_FAULT asks for, so that tests see what follows from one: "KERNEL:N", "KERNEL:N:launch",
// "KERNEL:N:capture", and each with "@1" for another device than cuda:0.
#pragma once

#include <string>

namespace alexnet::simulator {

class InjectedFault {
 public:
  enum class Kind { none, running, refused, captured };

  InjectedFault();
  // Counts a launch of a kernel on a device and says what befalls it. `name` may have template arguments.
  Kind next(const std::string& name, int device);
  // Counts a launch that is captured and says whether that is refused.
  bool refusesCapture(const std::string& name, int device);

 private:
  bool counts(const std::string& name, int device);

  std::string kernel_;
  long countdown_ = 0;
  int device_ = 0;
  Kind kind_ = Kind::none;
};

}  // namespace alexnet::simulator
