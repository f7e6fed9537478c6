// Graphs: what streams under capture are given becomes nodes and edges, which a launch replays in any order that the edges
// allow. What CUDA refuses while a stream is captured is refused here, and the capture is of no use from then on.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "capture.h"
#include "streams.h"

namespace alexnet::simulator {

class Machine;

// Of a graph that can be launched: a stream of its own for each node, and what the node does by now.
struct GraphInstance {
  std::shared_ptr<Capture> graph;
  std::vector<Stream*> streams;
  std::vector<std::function<void()>> runs;
  Clock last;  // of the launch before: one comes after the other
};

class Graphs {
 public:
  explicit Graphs(Machine& machine) : machine_(machine) {}

  cudaError_t begin(Stream* stream, cudaStreamCaptureMode mode);
  cudaError_t end(Stream* stream, cudaGraph_t* graph);
  // The stream takes part in the event's capture from now on, or waits for more of it.
  cudaError_t wait(Stream* stream, const Event& event);
  void record(const Stream& stream, Event& event);
  // A call that no thread may make while certain captures are under way, or cudaSuccess.
  cudaError_t forbid(const std::string& call);
  // The same for one that asks a stream or an event how far it is.
  cudaError_t forbidAsking(const std::string& call, const Capture* capture);
  // For work on a stream: an invalid capture takes none, nor does the default stream beside a capture that it waits for.
  cudaError_t requireSound(const Stream& stream, const std::string& call);
  // Ends what the machine refuses: `status` and, from now on, the capture.
  cudaError_t invalidate(Capture& capture, cudaError_t status, const std::string& what);

  cudaError_t instantiate(cudaGraphExec_t* instance, cudaGraph_t graph);
  cudaError_t launch(GraphInstance& instance, Stream* stream);
  // The node of an instance that a handle of its graph stands for, to be given other parameters; launches under way keep
  // what they have.
  cudaError_t find(const GraphInstance& instance, cudaGraphNode_t node, size_t& index);
  void destroy(GraphInstance* instance);

 private:
  Machine& machine_;
  std::set<std::shared_ptr<Capture>> running_;
};

}  // namespace alexnet::simulator
