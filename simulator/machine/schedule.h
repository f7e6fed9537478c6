// The order in which a machine does what it may do in any order: blocks of a launch, warps of a block, work of streams.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace alexnet::simulator {

class Schedule {
 public:
  enum class Kind { forward, reverse, random };

  // "forward", "reverse", "random", or "random:7" with a seed.
  explicit Schedule(const std::string& text) {
    if (text.rfind("random", 0) == 0) kind_ = Kind::random;
    if (text == "reverse") kind_ = Kind::reverse;
    const size_t colon = text.find(':');
    random_.seed(colon == std::string::npos ? 1 : std::stoull(text.substr(colon + 1)));
  }

  Kind kind() const { return kind_; }

  // A number below `count`: the first, the last, or any.
  size_t pick(size_t count) {
    if (kind_ == Kind::forward || count < 2) return 0;
    return kind_ == Kind::reverse ? count - 1 : static_cast<size_t>(random_() % count);
  }

  std::vector<uint32_t> order(size_t count) {
    std::vector<uint32_t> result(count);
    std::iota(result.begin(), result.end(), 0U);
    if (kind_ == Kind::reverse) std::reverse(result.begin(), result.end());
    if (kind_ == Kind::random) std::shuffle(result.begin(), result.end(), random_);
    return result;
  }

 private:
  Kind kind_ = Kind::forward;
  std::mt19937_64 random_;
};

}  // namespace alexnet::simulator
