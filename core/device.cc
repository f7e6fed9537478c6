#include "device.h"

#include <future>
#include <new>
#include <utility>

namespace alexnet {
namespace {

// Names the operation in whatever it threw, keeping the code.
std::exception_ptr named(const char* operation) {
  try {
    throw;
  } catch (const Error& error) {
    return std::make_exception_ptr(Error(error.code(), std::string(operation) + ": " + error.what()));
  } catch (const std::bad_alloc&) {
    return std::make_exception_ptr(
        Error(kMemory, std::string(operation) + ": out of memory. Try a smaller batchSize."));
  } catch (const std::exception& error) {
    return std::make_exception_ptr(Error(kOperation, std::string(operation) + " failed: " + error.what()));
  }
}

// Runs its function when the last copy goes, whether or not the task that holds it ever ran.
std::shared_ptr<void> onRelease(std::function<void()> function) {
  return {nullptr, [function = std::move(function)](void*) { function(); }};
}

}  // namespace

Device::Device(std::string id, std::shared_ptr<Queue> queue) : id_(std::move(id)), queue_(std::move(queue)) {}

Device::~Device() = default;

void Device::close() {
  if (closed_.exchange(true)) return;
  std::promise<void> drained;
  queue_->push([&drained] { drained.set_value(); });
  drained.get_future().wait();
}

void Device::requireOpen(const char* operation) const {
  if (closed_) throw Error(kDisposed, std::string(operation) + " was called on " + id_ + " after dispose().");
}

void Device::submit(const char* operation, std::function<void()> work) {
  requireOpen(operation);
  queue_->push([this, operation, work = std::move(work)] {
    if (closed_ || failure_) return;  // what follows a failed operation would compute on garbage
    enter(operation);
    try {
      work();
    } catch (...) {
      failure_ = named(operation);
    }
    leave();
  });
}

void Device::submitReport(const char* operation, std::function<void()> work, Completion completion) {
  submit(operation, std::move(work));
  queue_->push([this, operation, completion = std::move(completion)] {
    if (closed_ && !failure_) {
      failure_ = std::make_exception_ptr(
          Error(kDisposed, std::string(operation) + " was dropped: " + id_ + " was disposed of."));
    }
    completion(std::exchange(failure_, nullptr));
  });
}

void Device::write(const Tensor& destination, const void* source, std::function<void()> released) {
  submit("write", [this, destination, source, hold = onRelease(std::move(released))] { upload(destination, source); });
}

void Device::read(const Tensor& source, void* destination, Completion completion) {
  submitReport(
      "read", [this, source, destination] { download(source, destination); }, std::move(completion));
}

void Device::synchronize(Completion completion) {
  submitReport(
      "synchronize", [this] { finish(); }, std::move(completion));
}

std::shared_ptr<Event> Device::recorded(std::shared_ptr<Event> event, const char* operation) {
  submit(operation, [this, promise = promiseOf(event)] { signal(*promise); });
  return event;
}

std::shared_ptr<Event> Device::record(const char* operation) { return recorded(makeEvent(), operation); }

std::shared_ptr<Event> Device::stamp() { return recorded(makeStamp(), "timed"); }

void Device::elapsed(std::shared_ptr<Event> begin, std::shared_ptr<Event> end, double* milliseconds,
                     Completion completion) {
  submitReport(
      "timed",
      [this, begin = std::move(begin), end = std::move(end), milliseconds] { *milliseconds = between(*begin, *end); },
      std::move(completion));
}

void Device::wait(std::shared_ptr<Event> event, const char* operation) {
  submit(operation, [this, event = std::move(event)] { await(*event); });
}

std::shared_ptr<Event> Device::send(Device& from, const Tensor& source, Device& to, const Tensor& destination) {
  from.requireOpen(Copy::name);  // both, before either is made to wait
  to.requireOpen(Copy::name);
  auto done = from.makeEvent();
  from.transfer({source, destination, from.record(Copy::name), to.record(Copy::name), promiseOf(done)});
  return done;
}

void Device::copyAcross(Device& from, const Tensor& source, Device& to, const Tensor& destination) {
  const auto done = send(from, source, to, destination);
  from.wait(done, Copy::name);
  to.wait(done, Copy::name);
}

}  // namespace alexnet
