#include "queue.h"

#include <utility>

namespace alexnet {

Queue::Queue(Task prepare) : thread_([this, prepare = std::move(prepare)] { loop(prepare); }) {}

Queue::~Queue() { cancel(); }

void Queue::push(Task task) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (ending_) return;
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void Queue::cancel() {
  std::deque<Task> dropped;  // destroyed after the lock is released: a task may own the last reference to a buffer
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
    dropped.swap(tasks_);
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Queue::loop(const Task& prepare) {
  prepare();
  for (;;) {
    Task task;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
      if (ending_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace alexnet
