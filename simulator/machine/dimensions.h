// The size of a grid or a block, and a place in it.
#pragma once

#include <cstdint>
#include <string>

namespace alexnet::simulator {

struct Dimensions {
  uint32_t x = 1, y = 1, z = 1;

  uint64_t count() const { return static_cast<uint64_t>(x) * y * z; }
  // The place with this number, x fastest.
  Dimensions place(uint64_t number) const {
    return {static_cast<uint32_t>(number % x), static_cast<uint32_t>(number / x % y),
            static_cast<uint32_t>(number / x / y)};
  }
  std::string text() const {
    return "(" + std::to_string(x) + ", " + std::to_string(y) + ", " + std::to_string(z) + ")";
  }
};

}  // namespace alexnet::simulator
