// What a kernel did wrong. The launch that it happens in adds kernel, source line, block and thread.
#pragma once

#include <stdexcept>
#include <string>

namespace alexnet::simulator {

class Fault : public std::runtime_error {
 public:
  // `which`: lane of the warp that was running, -1 where it is no one lane's fault.
  Fault(int which, const std::string& message) : std::runtime_error(message), lane(which) {}
  const int lane;
};

}  // namespace alexnet::simulator
