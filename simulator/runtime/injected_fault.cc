#include "injected_fault.h"

#include <cstdlib>
#include <regex>
#include <stdexcept>

namespace alexnet::simulator {

InjectedFault::InjectedFault() {
  const char* const setting = std::getenv("ALEXNET_SIMULATED_FAULT");
  if (setting == nullptr || *setting == '\0') return;
  static const std::regex form("(\\w+):(\\d+)(:launch|:capture)?(@(\\d+))?");
  std::cmatch parts;
  if (!std::regex_match(setting, parts, form)) {
    throw std::runtime_error(
        std::string(
            "ALEXNET_SIMULATED_FAULT must be KERNEL:N, KERNEL:N:launch or KERNEL:N:capture, with @DEVICE behind it, "
            "got ") +
        setting);
  }
  kernel_ = parts[1];
  countdown_ = std::stol(parts[2]);
  if (parts[5].matched) device_ = std::stoi(parts[5]);
  kind_ = !parts[3].matched ? Kind::running : parts[3] == ":launch" ? Kind::refused : Kind::captured;
}

bool InjectedFault::counts(const std::string& name, int device) {
  return device == device_ && name.substr(0, name.find('<')) == kernel_ && --countdown_ == 0;
}

InjectedFault::Kind InjectedFault::next(const std::string& name, int device) {
  if (kind_ == Kind::none || kind_ == Kind::captured) return Kind::none;
  return counts(name, device) ? kind_ : Kind::none;
}

bool InjectedFault::refusesCapture(const std::string& name, int device) {
  return kind_ == Kind::captured && counts(name, device);
}

}  // namespace alexnet::simulator
