#include "graph.h"

#include <cstdlib>
#include <string>

#include "check.h"
#include "release.h"

namespace alexnet::cuda {
namespace {

void destroy(cudaGraph_t graph, cudaGraphExec_t instance) {
  if (instance) cudaGraphExecDestroy(instance);
  if (graph) cudaGraphDestroy(graph);
  cudaGetLastError();  // at exit the runtime may be gone
}

}  // namespace

bool wantsGraphs() {
  static const bool wanted = [] {
    const char* const value = std::getenv("ALEXNET_GRAPH");
    return !synchronousLaunches() && (!value || std::string(value) != "0");
  }();
  return wanted;
}

Graph::Graph(int gpu, Streams& streams, const std::function<void()>& work) : gpu_(gpu) {
  {
    // Nobody marks the stream's end meanwhile: the mark would become a part of the graph.
    const std::lock_guard<std::mutex> capturing(streams.marking());
    // Thread-local: what other threads do, allocating among it, is no business of the capture's.
    check(cudaStreamBeginCapture(streams.compute(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    try {
      work();
    } catch (...) {
      cudaStreamEndCapture(streams.compute(), &graph_);
      destroy(graph_, nullptr);
      throw;
    }
    check(cudaStreamEndCapture(streams.compute(), &graph_), "cudaStreamEndCapture");
  }
  try {
    check(cudaGraphGetNodes(graph_, nullptr, &size_), "cudaGraphGetNodes");
    check(cudaGraphInstantiateWithFlags(&instance_, graph_, 0), "cudaGraphInstantiateWithFlags");
  } catch (...) {
    destroy(graph_, nullptr);
    throw;
  }
}

Graph::~Graph() {
  releaseLater([gpu = gpu_, graph = graph_, instance = instance_] {
    if (!isLost(gpu) && cudaSetDevice(gpu) == cudaSuccess) destroy(graph, instance);
  });
}

void Graph::launch(cudaStream_t stream) const { check(cudaGraphLaunch(instance_, stream), "cudaGraphLaunch"); }

cudaGraphNode_t Graph::last(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  const cudaGraphNode_t* nodes = nullptr;
  size_t count = 0;
  const char* const call = "cudaStreamGetCaptureInfo";
#if CUDART_VERSION >= 13000
  check(cudaStreamGetCaptureInfo(stream, &status, nullptr, nullptr, &nodes, nullptr, &count), call);
#elif CUDART_VERSION >= 12000
  check(cudaStreamGetCaptureInfo(stream, &status, nullptr, nullptr, &nodes, &count), call);
#else
  check(cudaStreamGetCaptureInfo_v2(stream, &status, nullptr, nullptr, &nodes, &count), call);
#endif
  if (status == cudaStreamCaptureStatusActive && count == 1) return nodes[0];
  throw Error(kOperation, std::string(call) + ": what was launched last is not known.");
}

}  // namespace alexnet::cuda
