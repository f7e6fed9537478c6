// A lock that threads get in the order in which they ask: one that works on does not keep the others out.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace alexnet::simulator {

class Turns {
 public:
  void lock() {
    std::unique_lock<std::mutex> lock(mutex_);
    const uint64_t own = next_++;
    changed_.wait(lock, [&] { return serving_ == own; });
  }
  void unlock() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++serving_;
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t next_ = 0, serving_ = 0;
};

}  // namespace alexnet::simulator
