// Something that one queue announces and another waits for. A task that is dropped or fails must announce that too,
// so that nobody waits for ever: hold a promise (below), whose end counts as failure where nothing was announced.
// A kind of device whose work goes on after its queue has launched it derives from Event what it waits for instead.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "error.h"

namespace alexnet {

class Event {
 public:
  virtual ~Event() = default;

  void announce(bool success) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (state_ != State::pending) return;
      state_ = success ? State::happened : State::failed;
      at_ = std::chrono::steady_clock::now();
    }
    changed_.notify_all();
  }

  // Waits for both. Of events that the same device made as stamps (core/device.h).
  virtual double millisecondsSince(Event& begin) {
    begin.wait();
    wait();
    return std::chrono::duration<double, std::milli>(at_ - begin.at_).count();
  }

  virtual void wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return state_ != State::pending; });
    if (state_ == State::failed) {
      throw Error(kPeer, "another device failed before. Its own error says why.");
    }
  }

 private:
  enum class State { pending, happened, failed };
  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::pending;
  std::chrono::steady_clock::time_point at_;  // once it is not pending
};

// Announces failure when the last copy of the task that holds it is gone and nothing was announced before.
inline std::shared_ptr<Event> promiseOf(const std::shared_ptr<Event>& event) {
  return {event.get(), [event](Event*) { event->announce(false); }};
}

}  // namespace alexnet
