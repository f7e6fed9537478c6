// A device is an in-order queue of operations. Calls return at once; only read() and synchronize() report back.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "event.h"
#include "host_memory.h"
#include "operations.h"
#include "queue.h"
#include "segment.h"

namespace alexnet {

class Recording;

// Tensor memory that a device holds. Shared with its buffers, which may outlive it.
struct MemoryCounter {
  std::atomic<int64_t> bytes{0};
  std::atomic<int64_t> allocations{0};  // ever made: a step that allocates shows here
};

// A run() for each operation of a list, on the queue's thread.
template <class Operations>
class Runs;

template <class Operation>
class Runs<List<Operation>> {
 protected:
  ~Runs() = default;
  virtual void run(const Operation& operation) = 0;
};

template <class First, class... Rest>
class Runs<List<First, Rest...>> : public Runs<List<Rest...>> {
 protected:
  ~Runs() = default;
  using Runs<List<Rest...>>::run;
  virtual void run(const First& operation) = 0;
};

// Whether an operation wants products in TF32: false of one that has none.
template <class Operation>
auto wantsTf32(const Operation& operation, int) -> decltype(operation.tf32) {
  return operation.tf32;
}
template <class Operation>
bool wantsTf32(const Operation&, long) {
  return false;
}

class Device : public Runs<AllOperations> {
 public:
  // Called once on the queue's thread, with null or with what went wrong since the last report.
  using Completion = std::function<void(std::exception_ptr)>;

  Device(std::string id, std::shared_ptr<Queue> queue);
  virtual ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const std::string& id() const { return id_; }
  const MemoryCounter& memory() const { return *memory_; }
  // Sentences on what could not be had, when it was opened or since, and is done otherwise.
  virtual std::vector<std::string> notes() const { return {}; }

  // Whether operations may be given tf32.
  virtual bool hasTf32() const { return false; }

  // Memory is taken at once, not on the queue; its contents are undefined.
  virtual std::shared_ptr<Buffer> allocate(size_t bytes) = 0;
  // A buffer without memory: tensors in it have a shape and a device, and no operation runs on them. For finding out
  // what a plan needs before anything is taken.
  std::shared_ptr<Buffer> outline(size_t bytes) { return std::make_shared<Buffer>(this, nullptr, bytes); }
  // Host memory for transfers, where this kind of device copies from some faster; null where it does not, or where there
  // is none left. Serves all devices of the kind.
  virtual std::shared_ptr<HostMemory> allocateHost(size_t bytes);
  // Bytes that allocate() could still find now.
  virtual int64_t freeBytes() const = 0;
  // Bytes that tensors of these sizes take at most, with what their transfers and a net's operations need besides and have
  // not taken yet, and recordings of so many layers' passes.
  virtual size_t needOf(const std::vector<size_t>& tensors, size_t) const {
    return std::accumulate(tensors.begin(), tensors.end(), size_t{0});
  }
  // Takes what that counts besides, in order with all else: later steps find it.
  virtual void reserve(const std::vector<size_t>&) {}

  // Validates on the calling thread, then queues.
  template <class Operation>
  void enqueue(Operation operation) {
    operation.validate();
    if (wantsTf32(operation, 0)) requireTf32(Operation::name);
    if (isDiverted()) return takeDown(std::move(operation));
    submit(Operation::name, [this, operation = std::move(operation)] { run(operation); });
  }

  // Queues a segment's operations, with `step` in dropouts.
  void replay(std::shared_ptr<Segment> segment, uint32_t step);
  // From here on operations, send() and wait() go to a recording instead of the queue, and all else is refused; until null.
  void divert(Recording* recording) { recording_ = recording; }
  bool isDiverted() const { return recording_ != nullptr; }

  // Host to device. `source` must stay as it is until `released` is called, also when the copy never runs; host memory
  // until the next report.
  void write(const Tensor& destination, HostBytes source, std::function<void()> released);
  // The same beside the queue: the copy begins when `after` has happened, which is when nobody reads the destination any
  // more; at once where it is null, in the queue's order where it has failed. Whoever uses the destination must wait for
  // the event that is returned.
  std::shared_ptr<Event> writeBeside(const Tensor& destination, HostBytes source, std::shared_ptr<Event> after,
                                     std::function<void()> released);
  // Device to host: `destination` is whole when `completion` is called. What is queued later goes on beside a copy to
  // host memory.
  void read(const Tensor& source, HostBytes destination, Completion completion);
  void synchronize(Completion completion);
  // Reports when all that was queued has been handed to the device, which may still be at work: what fails in the order of
  // the queue has failed by then.
  void submitted(Completion completion);

  // Happens when all that was queued so far has ended.
  std::shared_ptr<Event> record(const char* operation);
  // An event that knows when it happened, by the device's own clock.
  std::shared_ptr<Event> stamp();
  // The time between two of this device's stamps: `milliseconds` is written when `completion` is called without an error.
  void elapsed(std::shared_ptr<Event> begin, std::shared_ptr<Event> end, double* milliseconds, Completion completion);
  // What is queued later runs after the event, or fails with it. `operation` is named in the error.
  void wait(std::shared_ptr<Event> event, const char* operation);
  // Copies to another device beside both queues. The copy begins when what was queued before it on both has ended: the
  // source is final, and nobody reads the destination any more. Whoever writes the source or uses the destination must
  // wait for the event that is returned.
  static std::shared_ptr<Event> send(Device& from, const Tensor& source, Device& to, const Tensor& destination);
  // send(), and both wait: a copy in the order of both queues.
  static void copyAcross(Device& from, const Tensor& source, Device& to, const Tensor& destination);

  // Drops what has not begun, waits for what has. Every later call fails with ALEXNET_DISPOSED. Idempotent.
  // A derived class calls it first thing in its destructor: queued work runs its methods.
  virtual void close();

  // What the backward pass needs the forward pass to keep.
  virtual size_t workspaceBytes(const Lrn& operation) = 0;
  virtual size_t workspaceBytes(const MaxPool& operation) = 0;

 protected:
  // Fails with ALEXNET_DISPOSED after close().
  void requireOpen(const char* operation) const;
  void submit(const char* operation, std::function<void()> work);
  std::shared_ptr<MemoryCounter> memory_ = std::make_shared<MemoryCounter>();

  struct Transfer {
    Tensor source;                       // of this device
    Tensor destination;                  // of the other
    std::shared_ptr<Event> ready, free;  // both must have happened before it begins
    std::shared_ptr<Event> done;         // a promise: see event.h
  };
  // Queues a copy to another device of the same kind on what this device has for copies.
  virtual void transfer(Transfer transfer) = 0;
  virtual std::shared_ptr<Event> makeEvent() { return std::make_shared<Event>(); }
  virtual std::shared_ptr<Event> makeStamp() { return makeEvent(); }

  // What a report still waits for while the queue goes on. Empty where there is nothing.
  using Rest = std::function<void()>;

  // On the queue's thread.
  // Does one thing of a task. False where that fails, or something before it has: it is what the next report says.
  bool attempt(const char* operation, const std::function<void()>& work);
  void runAtStep(const AnyOperation& operation, uint32_t step);
  // Launches a segment's operations together. False where nothing was done and they are to run one after the other.
  virtual bool replayAtOnce(Segment&, uint32_t) { return false; }
  // Around each operation, for tools that show what runs when.
  virtual void enter(const char*) {}
  virtual void leave() {}
  virtual void upload(const Tensor& destination, const HostBytes& source) = 0;
  virtual void uploadBeside(const Tensor& destination, const HostBytes& source, Event* after, Event& done);
  virtual Rest download(const Tensor& source, const HostBytes& destination) = 0;
  virtual void finish() = 0;  // waits until all that was launched has ended
  virtual void signal(Event& event) { event.announce(true); }
  virtual void await(Event& event) { event.wait(); }
  virtual double between(Event& begin, Event& end) { return end.millisecondsSince(begin); }

 private:
  void requireTf32(const char* operation) const;
  void takeDown(AnyOperation operation);
  std::shared_ptr<Event> recorded(std::shared_ptr<Event> event, const char* operation);
  void submitReport(const char* operation, std::function<Rest()> work, Completion completion);

  const std::string id_;
  const std::shared_ptr<Queue> queue_;
  std::unique_ptr<Queue> reports_;  // from the first that waits on, so that all keep their order; queue thread only
  std::exception_ptr failure_;      // queue thread only; what the next report says
  std::atomic<bool> closed_{false};
  Recording* recording_ = nullptr;  // the callers' thread only
};

}  // namespace alexnet
