#include "recording.h"

#include <algorithm>
#include <utility>

namespace alexnet {
namespace {

// Devices take down what they are asked for as long as it lives.
class Diversion {
 public:
  Diversion(const std::vector<std::shared_ptr<Device>>& devices, Recording& recording) : devices_(devices) {
    for (const auto& device : devices_) device->divert(&recording);
  }
  ~Diversion() {
    for (const auto& device : devices_) device->divert(nullptr);
  }
  Diversion(const Diversion&) = delete;
  Diversion& operator=(const Diversion&) = delete;

 private:
  const std::vector<std::shared_ptr<Device>>& devices_;
};

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace

Recording::Recording(std::vector<std::shared_ptr<Device>> devices, const std::function<void()>& work)
    : devices_(std::move(devices)) {
  for (const auto& device : devices_) {
    if (device->isDiverted()) throw Error(kArgument, device->id() + " is being recorded already.");
  }
  {
    const Diversion diversion(devices_, *this);
    work();
  }
  open_.clear();
  for (const auto& event : events_) event->announce(false);  // nobody waits for what never happens
}

void Recording::add(Device& device, AnyOperation operation) {
  Segment*& segment = open_[&device];
  if (!segment) {
    auto made = std::make_shared<Segment>();
    segment = made.get();
    items_.emplace_back(Run{&device, std::move(made)});
  }
  segment->operations.push_back(std::move(operation));
}

std::shared_ptr<Event> Recording::addSend(Device& from, const Tensor& source, Device& to, const Tensor& destination) {
  for (Device* const device : {&from, &to}) open_[device] = nullptr;
  items_.emplace_back(Send{&from, &to, source, destination});
  return events_.emplace_back(std::make_shared<Event>());
}

void Recording::addWait(Device& device, const std::shared_ptr<Event>& event) {
  const auto found = std::find(events_.begin(), events_.end(), event);
  if (found == events_.end()) {
    throw Error(kArgument, "wait: a recording holds waits for events of what it sends itself, not for others.");
  }
  open_[&device] = nullptr;
  items_.emplace_back(Wait{&device, static_cast<size_t>(found - events_.begin())});
}

void Recording::replay(uint32_t step) const {
  std::vector<std::shared_ptr<Event>> sent;
  const Overloaded queue{
      [&](const Run& run) { run.device->replay(run.segment, step); },
      [&](const Send& send) { sent.push_back(Device::send(*send.from, send.source, *send.to, send.destination)); },
      [&](const Wait& wait) { wait.device->wait(sent[wait.send], "wait"); },
  };
  for (const auto& item : items_) std::visit(queue, item);
}

}  // namespace alexnet
