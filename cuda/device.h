// One CUDA device: operations become launches on its compute stream, in order. Each operation has its own kernel file.
//
// Threads: the caller's makes the device, allocates and closes; the queue's does all else, waiting for the GPU too, but
// for reads into host memory, whose end the reports' thread waits for. The queues' locks hand the context over, before
// the first task and back to close() after the last. Devices meet at events
// alone (core/event.h), whose lock orders what a task wrote before the tasks that wait for it.
#pragma once

#include <mutex>

#include "gpu_context.h"
#include "kernels/conv2d.h"
#include "kernels/linear.h"
#include "kernels/operations.h"
#include "segment_graph.h"

namespace alexnet::cuda {

class CudaDevice final : public Device {
 public:
  explicit CudaDevice(int gpu);
  ~CudaDevice() override;

  std::vector<std::string> notes() const override;
  bool hasTf32() const override { return hasTensorCores_; }
  // Gives back what the device holds beside its tensors, though the object may live on.
  void close() override;
  std::shared_ptr<Buffer> allocate(size_t bytes) override;
  std::shared_ptr<HostMemory> allocateHost(size_t bytes) override;
  int64_t freeBytes() const override;
  size_t needOf(const std::vector<size_t>& tensors, size_t recorded) const override;
  void reserve(const std::vector<size_t>& tensors) override;
  size_t workspaceBytes(const Lrn&) override { return 0; }  // the backward pass computes the sums again
  size_t workspaceBytes(const MaxPool& operation) override { return maxPoolWorkspaceBytes(operation); }

 protected:
  // Ranges of NVTX, which Nsight's tools show; without such a tool a call is a branch.
  void enter(const char* operation) override;
  void leave() override;
  void upload(const Tensor& destination, const HostBytes& source) override;
  void uploadBeside(const Tensor& destination, const HostBytes& source, Event* after, Event& done) override;
  Rest download(const Tensor& source, const HostBytes& destination) override;
  void finish() override;
  std::shared_ptr<Event> makeEvent() override { return std::make_shared<CudaEvent>(events_); }
  std::shared_ptr<Event> makeStamp() override { return std::make_shared<CudaEvent>(stamps_); }
  void signal(Event& event) override;
  void await(Event& event) override;
  double between(Event& begin, Event& end) override;
  void transfer(Transfer transfer) override;
  // As a CUDA graph, from the second time on: the first, by single launches, has what a capture must find done.
  bool replayAtOnce(Segment& segment, uint32_t step) override;
  void run(const Augment& operation) override;
  void run(const SoftmaxLoss& operation) override;
  void run(const Copy& operation) override;
  void run(const Cast& operation) override;
  void run(const Conv2d& operation) override { conv2dForward(operation, ready()); }
  void run(const Conv2dBackwardInput& operation) override { conv2dBackwardInput(operation, ready()); }
  void run(const Conv2dBackwardWeights& operation) override { conv2dBackwardWeights(operation, ready()); }
  void run(const Linear& operation) override { linearForward(operation, ready()); }
  void run(const LinearBackwardInput& operation) override { linearBackwardInput(operation, ready()); }
  void run(const LinearBackwardWeights& operation) override { linearBackwardWeights(operation, ready()); }
  void run(const Activate& operation) override { activateForward(operation, ready()); }
  void run(const ActivateBackward& operation) override { activateBackward(operation, ready()); }
  void run(const Lrn& operation) override { lrnForward(operation, ready()); }
  void run(const LrnBackward& operation) override { lrnBackward(operation, ready()); }
  void run(const MaxPool& operation) override { maxPoolForward(operation, ready()); }
  void run(const MaxPoolBackward& operation) override { maxPoolBackward(operation, ready()); }
  void run(const LrnMaxPool& operation) override { lrnMaxPoolForward(operation, ready()); }
  void run(const LrnMaxPoolBackward& operation) override { lrnMaxPoolBackward(operation, ready()); }
  void run(const Dropout& operation) override { dropout(operation, ready()); }
  void run(const Softmax& operation) override { softmax(operation, ready()); }
  void run(const Sgd& operation) override { sgd(operation, ready()); }
  void run(const Add& operation) override { add(operation, ready()); }
  void run(const Fill& operation) override { fill(operation, ready()); }
  void run(const Permute& operation) override { permute(operation, ready()); }
  void run(const Normal& operation) override { normal(operation, ready()); }

 private:
  // The context, with its GPU current: the runtime remembers one for each thread, and another GPU may have been asked
  // something.
  GpuContext& ready();
  void uploadOn(cudaStream_t stream, const Tensor& destination, const HostBytes& source);
  void makeWait(cudaStream_t stream, Event& event);
  // Fails where an operation would take wrong values on trust. What it reads has been uploaded.
  void verify(const Augment& operation);
  void verify(const SoftmaxLoss& operation);
  // run() without verify().
  void launch(const AnyOperation& operation, uint32_t step);
  // False where the runtime refuses something of the graph, before it has launched any of it.
  bool launchGraph(Segment& segment, uint32_t step);
  // A tensor's contents on the host: the copy of the last upload, or else a download, which waits for the GPU.
  template <class T>
  std::vector<T> hostCopy(const Tensor& tensor);

  const Owner owner_;
  std::shared_ptr<GpuContext> context_;  // until close()
  const bool hasTensorCores_;
  const std::shared_ptr<EventPool> events_, stamps_;
  mutable std::mutex notesMutex_;
  std::vector<std::string> notes_;
  std::atomic<size_t> reserved_{0};  // the largest tensor whose transfer was provided for; 0: nothing was
};

}  // namespace alexnet::cuda
