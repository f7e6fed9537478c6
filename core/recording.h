// What is queued on one or several devices, kept so that it can be queued again: a pass over a batch, which each step
// repeats on the same tensors. What no other device has a part in becomes one segment, which a device may launch at once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <variant>
#include <vector>

#include "device.h"

namespace alexnet {

class Recording {
 public:
  // Takes down what `work` queues on the devices, which do none of it: operations, send(), and wait() for events of that.
  // Anything else fails with ALEXNET_ARGUMENT, and so does a recording within one.
  Recording(std::vector<std::shared_ptr<Device>> devices, const std::function<void()>& work);
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // Queues it once more. `step` takes the place of what dropouts were recorded with.
  void replay(uint32_t step) const;

 private:
  friend class Device;
  struct Run {
    Device* device;
    std::shared_ptr<Segment> segment;
  };
  struct Send {
    Device *from, *to;
    Tensor source, destination;
  };
  struct Wait {
    Device* device;
    size_t send;  // which one's event
  };

  // For the devices, while it is made.
  void add(Device& device, AnyOperation operation);
  std::shared_ptr<Event> addSend(Device& from, const Tensor& source, Device& to, const Tensor& destination);
  void addWait(Device& device, const std::shared_ptr<Event>& event);

  const std::vector<std::shared_ptr<Device>> devices_;
  std::vector<std::variant<Run, Send, Wait>> items_;
  std::map<Device*, Segment*> open_;            // what a device's next operation joins
  std::vector<std::shared_ptr<Event>> events_;  // that stand for those of each send() while it is made
};

}  // namespace alexnet
