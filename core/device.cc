#include "device.h"

#include <future>
#include <new>
#include <type_traits>
#include <utility>

#include "recording.h"

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

// Waits for all that was pushed so far.
void drain(Queue& queue) {
  std::promise<void> drained;
  queue.push([&drained] { drained.set_value(); });
  drained.get_future().wait();
}

}  // namespace

Device::Device(std::string id, std::shared_ptr<Queue> queue) : id_(std::move(id)), queue_(std::move(queue)) {}

Device::~Device() = default;

void Device::close() {
  if (closed_.exchange(true)) return;
  drain(*queue_);
  if (reports_) drain(*reports_);
}

void Device::requireOpen(const char* operation) const {
  if (closed_) throw Error(kDisposed, std::string(operation) + " was called on " + id_ + " after dispose().");
}

void Device::requireTf32(const char* operation) const {
  if (hasTf32()) return;
  throw Error(kDevice, std::string(operation) + ": " + id_ +
                           " does not multiply in TF32, which takes a GPU of compute capability 8.0 or newer. Take "
                           "another device, fp32 or bf16.");
}

void Device::submit(const char* operation, std::function<void()> work) {
  requireOpen(operation);
  if (isDiverted()) throw Error(kArgument, std::string(operation) + " cannot be recorded.");
  queue_->push([this, operation, work = std::move(work)] { attempt(operation, work); });
}

bool Device::attempt(const char* operation, const std::function<void()>& work) {
  if (closed_ || failure_) return false;  // what follows a failed operation would compute on garbage
  enter(operation);
  try {
    work();
  } catch (...) {
    failure_ = named(operation);
  }
  leave();
  return !failure_;
}

void Device::runAtStep(const AnyOperation& any, uint32_t step) {
  std::visit(
      [&](const auto& operation) {
        if constexpr (std::is_same_v<std::decay_t<decltype(operation)>, Dropout>) {
          Dropout dropout = operation;
          dropout.step = step;
          run(dropout);
        } else {
          run(operation);
        }
      },
      any);
}

void Device::replay(std::shared_ptr<Segment> segment, uint32_t step) {
  requireOpen("replay");
  if (isDiverted()) throw Error(kArgument, "replay cannot be recorded.");
  queue_->push([this, segment = std::move(segment), step] {
    if (closed_ || failure_ || replayAtOnce(*segment, step)) return;
    for (const AnyOperation& operation : segment->operations) {
      if (!attempt(nameOf(operation), [&] { runAtStep(operation, step); })) return;
    }
  });
}

void Device::takeDown(AnyOperation operation) {
  requireOpen(nameOf(operation));
  recording_->add(*this, std::move(operation));
}

void Device::submitReport(const char* operation, std::function<Rest()> work, Completion completion) {
  const auto rest = std::make_shared<Rest>();
  submit(operation, [work = std::move(work), rest] { *rest = work(); });
  queue_->push([this, operation, rest, completion = std::move(completion)] {
    if (closed_ && !failure_) {
      failure_ = std::make_exception_ptr(
          Error(kDisposed, std::string(operation) + " was dropped: " + id_ + " was disposed of."));
    }
    const std::exception_ptr failure = std::exchange(failure_, nullptr);
    if (*rest && !reports_) reports_ = std::make_unique<Queue>([] {});
    if (!reports_) return completion(failure);
    reports_->push([operation, rest, completion, failure] {
      std::exception_ptr result = failure;
      try {
        if (*rest) (*rest)();  // also where the device was closed meanwhile: the copy is under way
      } catch (...) {
        result = named(operation);
      }
      completion(result);
    });
  });
}

std::shared_ptr<HostMemory> Device::allocateHost(size_t) {
  requireOpen("allocateHost");
  return nullptr;
}

void Device::write(const Tensor& destination, HostBytes source, std::function<void()> released) {
  submit("write", [this, destination, source = std::move(source), hold = onRelease(std::move(released))] {
    upload(destination, source);
  });
}

std::shared_ptr<Event> Device::writeBeside(const Tensor& destination, HostBytes source, std::shared_ptr<Event> after,
                                           std::function<void()> released) {
  const auto hold = onRelease(std::move(released));
  const auto done = makeEvent();
  submit("write", [this, destination, source = std::move(source), after = std::move(after), promise = promiseOf(done),
                   hold] { uploadBeside(destination, source, after.get(), *promise); });
  return done;
}

// Where copies from the host take the queue's thread anyway, they keep its order.
void Device::uploadBeside(const Tensor& destination, const HostBytes& source, Event* after, Event& done) {
  try {
    if (after) await(*after);
  } catch (const Error&) {
    // Its own device says why.
  }
  upload(destination, source);
  signal(done);
}

void Device::read(const Tensor& source, HostBytes destination, Completion completion) {
  submitReport(
      "read", [this, source, destination = std::move(destination)] { return download(source, destination); },
      std::move(completion));
}

void Device::synchronize(Completion completion) {
  submitReport(
      "synchronize",
      [this] {
        finish();
        return Rest();
      },
      std::move(completion));
}

void Device::submitted(Completion completion) {
  submitReport(
      "submitted", [] { return Rest(); }, std::move(completion));
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
      [this, begin = std::move(begin), end = std::move(end), milliseconds] {
        *milliseconds = between(*begin, *end);
        return Rest();
      },
      std::move(completion));
}

void Device::wait(std::shared_ptr<Event> event, const char* operation) {
  if (isDiverted()) return recording_->addWait(*this, event);
  submit(operation, [this, event = std::move(event)] { await(*event); });
}

std::shared_ptr<Event> Device::send(Device& from, const Tensor& source, Device& to, const Tensor& destination) {
  from.requireOpen(Copy::name);  // both, before either is made to wait
  to.requireOpen(Copy::name);
  if (from.recording_ != to.recording_) throw Error(kArgument, "send: one of the devices is being recorded.");
  if (from.recording_) return from.recording_->addSend(from, source, to, destination);
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
