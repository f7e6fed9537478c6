#include "injected_fault.h"

#include <cstdlib>
#include <regex>
#include <stdexcept>

namespace alexnet::simulator {

InjectedFault::InjectedFault() {
  const char* const setting = std::getenv("ALEXNET_SIMULATED_FAULT");
  if (setting == nullptr || *setting == '\0') return;
  static const std::regex form("(\\w+):(\\d+)(:launch)?(@(\\d+))?");
  std::cmatch parts;
  if (!std::regex_match(setting, parts, form)) {
    throw std::runtime_error(
        std::string("ALEXNET_SIMULATED_FAULT must be KERNEL:N or KERNEL:N:launch, with @DEVICE behind it, got ") +
        setting);
  }
  kernel_ = parts[1];
  countdown_ = std::stol(parts[2]);
  if (parts[5].matched) device_ = std::stoi(parts[5]);
  kind_ = parts[3].matched ? Kind::refused : Kind::running;
}

InjectedFault::Kind InjectedFault::next(const std::string& name, int device) {
  if (kind_ == Kind::none || device != device_ || name.substr(0, name.find('<')) != kernel_) return Kind::none;
  return --countdown_ == 0 ? kind_ : Kind::none;
}

}  // namespace alexnet::simulator
