// One CPU device: a queue with a thread and an OpenMP team of its own. Each operation has its own file.
#pragma once

#include "primitives.h"

namespace alexnet::cpu {

class CpuDevice final : public Device {
 public:
  CpuDevice(int index, int threads);
  ~CpuDevice() override;

  std::shared_ptr<Buffer> allocate(size_t bytes) override;
  int64_t freeBytes() const override { return availableMemory(); }
  size_t workspaceBytes(const Lrn& operation) override;
  size_t workspaceBytes(const MaxPool& operation) override;

 protected:
  void upload(const Tensor& destination, const HostBytes& source) override;
  Rest download(const Tensor& source, const HostBytes& destination) override;
  void transfer(Transfer transfer) override;
  void finish() override {}  // operations run to their end on the queue's thread
  void run(const Augment& operation) override;
  void run(const Conv2d& operation) override;
  void run(const Conv2dBackwardInput& operation) override;
  void run(const Conv2dBackwardWeights& operation) override;
  void run(const Linear& operation) override;
  void run(const LinearBackwardInput& operation) override;
  void run(const LinearBackwardWeights& operation) override;
  void run(const Activate& operation) override;
  void run(const ActivateBackward& operation) override;
  void run(const Lrn& operation) override;
  void run(const LrnBackward& operation) override;
  void run(const MaxPool& operation) override;
  void run(const MaxPoolBackward& operation) override;
  void run(const LrnMaxPool& operation) override;
  void run(const LrnMaxPoolBackward& operation) override;
  void run(const Dropout& operation) override;
  void run(const SoftmaxLoss& operation) override;
  void run(const Softmax& operation) override;
  void run(const Sgd& operation) override;
  void run(const Cast& operation) override;
  void run(const Copy& operation) override;
  void run(const Add& operation) override;
  void run(const Fill& operation) override;
  void run(const Permute& operation) override;
  void run(const Normal& operation) override;

 private:
  Primitives primitives_{id(), memory_};
  std::unique_ptr<Queue> exchange_;  // a thread that copies to other devices, from the first such copy on
};

}  // namespace alexnet::cpu
