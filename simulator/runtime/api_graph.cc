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

cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream, cudaStreamCaptureStatus* status, unsigned long long* id,
                                     cudaGraph_t* graph, const cudaGraphNode_t** dependencies,
                                     const cudaGraphEdgeData** edges, size_t* count) {
  return guarded([&](Machine& machine) {
    if (id != nullptr || graph != nullptr || edges != nullptr) {
      return machine.refuse(cudaErrorNotSupported, "cudaStreamGetCaptureInfo tells status and nodes alone here");
    }
    const Stream* queue = streamOf(machine, stream);
    const auto& capture = queue->capture;
    *status = capture == nullptr         ? cudaStreamCaptureStatusNone
              : capture->invalid.empty() ? cudaStreamCaptureStatusActive
                                         : cudaStreamCaptureStatusInvalidated;
    if (*status != cudaStreamCaptureStatusActive) return cudaSuccess;
    capture->dependencies.clear();
    for (const size_t node : queue->last) {
      capture->dependencies.push_back(reinterpret_cast<cudaGraphNode_t>(capture->nodes[node].id));
    }
    *dependencies = capture->dependencies.data();
    *count = capture->dependencies.size();
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

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* instance, cudaGraph_t graph, unsigned long long flags) {
  return cudaGraphInstantiate(instance, graph, flags);
}

cudaError_t cudaGraphExecKernelNodeSetParams(cudaGraphExec_t instance, cudaGraphNode_t node,
                                             const cudaKernelNodeParams* params) {
  return guarded([&](Machine& machine) {
    auto& updated = *reinterpret_cast<GraphInstance*>(instance);
    size_t index = 0;
    if (const cudaError_t unknown = machine.graphs.find(updated, node, index); unknown != cudaSuccess) return unknown;
    const auto kernel = machine.kernels.find(params->func);
    if (kernel == machine.kernels.end()) return cudaErrorInvalidDeviceFunction;
    Launch launch;
    const int device = updated.graph->nodes[index].device;
    const cudaError_t refused = machine.prepare(*kernel->second, params->gridDim, params->blockDim,
                                                params->kernelParams, params->sharedMemBytes, device, launch);
    if (refused == cudaSuccess) updated.runs[index] = machine.workOf(*kernel->second, launch);
    return refused;
  });
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
    auto* const held = reinterpret_cast<std::shared_ptr<Capture>*>(graph);
    (*held)->destroyed = true;
    delete held;
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
