// What a launcher needs to know of the device that it launches on.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

namespace alexnet::cuda {

// The most scratch memory that an operation of a net asks for, by multiprocessor: partial sums of split-K, and behind them
// pictures unfolded for conv1 (cuda/kernels/conv1_mma.cu). What else grows with a batch's pictures is much less.
constexpr size_t kPartialsPerProcessor = size_t{256} << 10;
constexpr size_t kUnfoldedPerProcessor = size_t{128} << 10;
constexpr size_t kScratchPerProcessor = kPartialsPerProcessor + kUnfoldedPerProcessor;

// The attributes of the GPU that tilings and launches depend on.
struct Limits {
  int computeCapability = 0;       // 86 means 8.6
  int multiprocessors = 0;         // streaming multiprocessors of the board
  size_t sharedBytesPerBlock = 0;  // the most dynamic shared memory that a block may opt in to
  size_t sharedBytesPerProcessor = 0;
  bool tensorCores = false;  // mma and cp.async: the GPU has them, and this build's code for it uses them

  // What the partial sums of a GEMM may take.
  size_t partialBytes() const { return static_cast<size_t>(multiprocessors) * kPartialsPerProcessor; }
};

// A launch that a graph holds.
struct GraphNode {
  cudaGraphExec_t graph;
  cudaGraphNode_t node;
};

class Context {
 public:
  virtual ~Context() = default;
  // Operations run on it one after the other.
  virtual cudaStream_t stream() const = 0;
  virtual const Limits& limits() const = 0;
  // At least `bytes` of device memory, 256-byte aligned, for the operation being launched; the next operation on the
  // stream gets the same memory. Grows when a larger shape first needs it, and is then kept.
  virtual void* scratch(size_t bytes) = 0;
  // What launchOrUpdate() gives new arguments to instead of launching; null where it launches.
  virtual const GraphNode* node() const { return nullptr; }
};

}  // namespace alexnet::cuda
