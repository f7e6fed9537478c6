// Operations of one device, one after the other, that are done again and again.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "operations.h"

namespace alexnet {

template <class Operations>
struct VariantOf;
template <class... Operations>
struct VariantOf<List<Operations...>> {
  using Type = std::variant<Operations...>;
};

using AnyOperation = VariantOf<AllOperations>::Type;

inline const char* nameOf(const AnyOperation& operation) {
  return std::visit([](const auto& one) { return one.name; }, operation);
}

struct Segment {
  // What a kind of device makes of the operations so as to launch them together.
  class Compiled {
   public:
    virtual ~Compiled() = default;  // on any thread
  };

  std::vector<AnyOperation> operations;
  std::unique_ptr<Compiled> compiled;  // the device's; its queue's thread only
};

}  // namespace alexnet
