// A thread that runs what it is given, in order. Each device has one.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace alexnet {

class Queue {
 public:
  using Task = std::function<void()>;

  // `prepare` runs first on the new thread (its OpenMP team, its CUDA context).
  explicit Queue(Task prepare);
  ~Queue();  // cancels
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  void push(Task task);
  // Drops what has not begun, waits for what has, and ends the thread. Idempotent.
  void cancel();

 private:
  void loop(const Task& prepare);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  bool ending_ = false;
  std::thread thread_;  // last: it starts when everything above stands
};

}  // namespace alexnet
