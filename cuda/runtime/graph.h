// CUDA graphs: what was launched on a stream once, launched again by one call.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>

#include "context.h"
#include "streams.h"

namespace alexnet::cuda {

// ALEXNET_GRAPH=0 asks for none, and so does ALEXNET_SYNC=1: in a graph no launch can be waited for.
bool wantsGraphs();

// What the driver takes of a GPU's memory for a graph is not documented. Somebody measured 63 to 66 KB a node (driver 470,
// NVIDIA's developer forum, thread 244901); a layer's pass is seldom more than four launches.
constexpr size_t kGraphBytesPerLayer = size_t{4} * (64 << 10);

class Graph {
 public:
  // Captures what `work` launches on the compute stream. The device's thread calls, with its GPU current. Throws what
  // `work` throws and what the runtime refuses; the stream is then as before.
  Graph(int gpu, Streams& streams, const std::function<void()>& work);
  // On any thread: it goes when the GPUs have ended what was launched before.
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // How many launches and copies it holds.
  size_t size() const { return size_; }
  void launch(cudaStream_t stream) const;
  // The node that `node` is in this graph, for an update of what it was launched with.
  GraphNode at(cudaGraphNode_t node) const { return {instance_, node}; }

  // What `stream`, which is being captured, was given last.
  static cudaGraphNode_t last(cudaStream_t stream);

 private:
  const int gpu_;
  cudaGraph_t graph_ = nullptr;  // kept for its nodes' names
  cudaGraphExec_t instance_ = nullptr;
  size_t size_ = 0;
};

}  // namespace alexnet::cuda
