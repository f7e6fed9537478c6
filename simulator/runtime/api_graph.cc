// The runtime's functions about captures and graphs.
#include "api.h"

using namespace alexnet::simulator;

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return guarded([&](Machine& machine) { return machine.graphs.begin(streamOf(machine, stream), mode); });
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return guarded([&](Machine& machine) { return machine.graphs.end(streamOf(machine, stream), graph); });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return guarded([&](Machine& machine) {
    const auto& capture = streamOf(machine, stream)->capture;
    *status = capture == nullptr         ? cudaStreamCaptureStatusNone
              : capture->invalid.empty() ? cudaStreamCaptureStatusActive
                                         : cudaStreamCaptureStatusInvalidated;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  return guarded([&](Machine& machine) {
    if (nodes != nullptr)
      return machine.refuse(cudaErrorNotSupported, "cudaGraphGetNodes tells their number alone here");
    *count = (*reinterpret_cast<std::shared_ptr<Capture>*>(graph))->nodes.size();
    return cudaSuccess;
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* instance, cudaGraph_t graph, unsigned long long) {
  return guarded([&](Machine& machine) { return machine.graphs.instantiate(instance, graph); });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t instance, cudaStream_t stream) {
  return guarded([&](Machine& machine) {
    return machine.graphs.launch(*reinterpret_cast<GraphInstance*>(instance), streamOf(machine, stream));
  });
}

// Ready as it is.
cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) {
  return guarded([](Machine&) { return cudaSuccess; });
}

// Instances keep what they need.
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return guarded([&](Machine&) {
    delete reinterpret_cast<std::shared_ptr<Capture>*>(graph);
    return cudaSuccess;
  });
}

// Waits until its last launch has run.
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t instance) {
  return guarded([&](Machine& machine) {
    machine.graphs.destroy(reinterpret_cast<GraphInstance*>(instance));
    return cudaSuccess;
  });
}

}  // extern "C"
