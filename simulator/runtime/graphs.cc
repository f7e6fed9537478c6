#include "graphs.h"

#include "machine.h"

namespace alexnet::simulator {
namespace {

std::string nameOf(const Stream& stream) { return "a stream of " + deviceName(stream.device); }

// All nodes that come before some, these included.
std::set<size_t> reachable(const Capture& capture, const std::set<size_t>& from) {
  std::set<size_t> found = from;
  for (size_t node = capture.nodes.size(); node-- > 0;) {  // edges go back only
    if (found.count(node) > 0) found.insert(capture.nodes[node].after.begin(), capture.nodes[node].after.end());
  }
  return found;
}

}  // namespace

cudaError_t Graphs::begin(Stream* stream, cudaStreamCaptureMode mode) {
  if (stream == machine_.streams.defaultOf(stream->device)) {
    return machine_.refuse(cudaErrorStreamCaptureUnsupported, "cudaStreamBeginCapture of the default stream");
  }
  if (stream->capture != nullptr) {
    return machine_.refuse(cudaErrorIllegalState,
                           "cudaStreamBeginCapture of " + nameOf(*stream) + ", which is captured already");
  }
  auto capture = std::make_shared<Capture>();
  capture->origin = stream;
  capture->mode = mode;
  capture->thread = std::this_thread::get_id();
  capture->streams = {stream};
  stream->capture = capture;
  running_.insert(std::move(capture));
  return cudaSuccess;
}

cudaError_t Graphs::end(Stream* stream, cudaGraph_t* graph) {
  *graph = nullptr;
  const std::shared_ptr<Capture> capture = stream->capture;
  if (capture == nullptr) {
    return machine_.refuse(cudaErrorIllegalState,
                           "cudaStreamEndCapture of " + nameOf(*stream) + ", which is not captured");
  }
  if (stream != capture->origin) {
    return invalidate(*capture, cudaErrorStreamCaptureUnmatched,
                      "cudaStreamEndCapture of a stream that has joined the capture, not of the one it began with");
  }
  if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != std::this_thread::get_id()) {
    return invalidate(*capture, cudaErrorStreamCaptureWrongThread,
                      "cudaStreamEndCapture by another thread than began it");
  }
  const size_t joined = reachable(*capture, stream->last).size();
  const std::set<Stream*> streams = std::move(capture->streams);
  for (Stream* other : streams) {
    other->capture = nullptr;
    other->last.clear();
  }
  running_.erase(capture);
  capture->ended = true;
  if (!capture->invalid.empty()) {
    return machine_.refuse(cudaErrorStreamCaptureInvalidated,
                           "cudaStreamEndCapture of what is of no use: " + capture->invalid);
  }
  if (joined < capture->nodes.size()) {
    return machine_.refuse(cudaErrorStreamCaptureUnjoined,
                           "cudaStreamEndCapture before the capture's streams have joined again: " +
                               std::to_string(capture->nodes.size() - joined) + " of " +
                               std::to_string(capture->nodes.size()) + " nodes are not ordered before its end");
  }
  *graph = reinterpret_cast<cudaGraph_t>(new std::shared_ptr<Capture>(capture));
  return cudaSuccess;
}

cudaError_t Graphs::wait(Stream* stream, const Event& event) {
  if (event.capture == nullptr && stream->capture == nullptr) {
    join(stream->clock, event.clock);
    return cudaSuccess;
  }
  if (event.capture == nullptr) {
    return invalidate(*stream->capture, cudaErrorStreamCaptureIsolation,
                      "cudaStreamWaitEvent of an event that was not recorded in the capture");
  }
  if (event.capture->ended) {
    return machine_.refuse(cudaErrorCapturedEvent,
                           "cudaStreamWaitEvent of an event that was last recorded in a capture, which has ended");
  }
  if (!event.capture->invalid.empty()) {
    return machine_.refuse(cudaErrorStreamCaptureInvalidated, "cudaStreamWaitEvent: " + event.capture->invalid);
  }
  if (stream == machine_.streams.defaultOf(stream->device)) {
    return invalidate(*event.capture, cudaErrorStreamCaptureImplicit,
                      "cudaStreamWaitEvent by the default stream of an event of a capture");
  }
  if (stream->capture != nullptr && stream->capture != event.capture) {
    stream->capture->invalid = "cudaStreamWaitEvent of another capture's event";
    return invalidate(*event.capture, cudaErrorStreamCaptureMerge, "cudaStreamWaitEvent of another capture's event");
  }
  stream->capture = event.capture;
  event.capture->streams.insert(stream);
  stream->last.insert(event.nodes.begin(), event.nodes.end());
  return cudaSuccess;
}

void Graphs::record(const Stream& stream, Event& event) {
  event.capture = stream.capture;
  event.nodes = stream.last;
  event.clock = stream.capture == nullptr ? stream.clock : Clock{};
}

cudaError_t Graphs::invalidate(Capture& capture, cudaError_t status, const std::string& what) {
  if (capture.invalid.empty()) capture.invalid = what;
  return machine_.refuse(status, what);
}

cudaError_t Graphs::forbid(const std::string& call) {
  Capture* forbidding = nullptr;
  for (const std::shared_ptr<Capture>& capture : running_) {
    const bool own = capture->thread == std::this_thread::get_id() && capture->mode != cudaStreamCaptureModeRelaxed;
    if (own || capture->mode == cudaStreamCaptureModeGlobal) forbidding = capture.get();
  }
  if (forbidding == nullptr) return cudaSuccess;
  return invalidate(*forbidding, cudaErrorStreamCaptureUnsupported, call + " while a stream is captured");
}

cudaError_t Graphs::forbidAsking(const std::string& call, const Capture* capture) {
  if (capture == nullptr) return forbid(call);
  if (capture->ended) {
    return machine_.refuse(cudaErrorCapturedEvent, call + " of an event that was last recorded in a capture");
  }
  return invalidate(const_cast<Capture&>(*capture), cudaErrorStreamCaptureUnsupported, call + " of what is captured");
}

cudaError_t Graphs::requireSound(const Stream& stream, const std::string& call) {
  if (stream.capture != nullptr && !stream.capture->invalid.empty()) {
    return machine_.refuse(cudaErrorStreamCaptureInvalidated,
                           call + " on a stream whose capture is of no use: " + stream.capture->invalid);
  }
  if (&stream != machine_.streams.defaultOf(stream.device)) return cudaSuccess;
  for (const std::shared_ptr<Capture>& capture : running_) {
    for (const Stream* other : capture->streams) {
      if (other->device != stream.device || !other->blocking) continue;
      return invalidate(*capture, cudaErrorStreamCaptureImplicit,
                        call + " on the default stream, for which a stream that is captured waits");
    }
  }
  return cudaSuccess;
}

cudaError_t Graphs::instantiate(cudaGraphExec_t* instance, cudaGraph_t graph) {
  auto made = std::make_unique<GraphInstance>();
  made->graph = *reinterpret_cast<std::shared_ptr<Capture>*>(graph);
  for (const Node& node : made->graph->nodes) {
    made->streams.push_back(machine_.streams.create(node.device, false));
    made->runs.push_back(node.run);
  }
  *instance = reinterpret_cast<cudaGraphExec_t>(made.release());
  return cudaSuccess;
}

cudaError_t Graphs::launch(GraphInstance& instance, Stream* stream) {
  if (stream->capture != nullptr) {
    return invalidate(*stream->capture, cudaErrorStreamCaptureUnsupported,
                      "cudaGraphLaunch on a stream that is captured, which the simulator does not support");
  }
  const std::vector<Node>& nodes = instance.graph->nodes;
  std::vector<std::function<void()>> runs = instance.runs;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!nodes[i].isKernel) continue;
    const cudaError_t refused = machine_.applyFault(nodes[i].name, nodes[i].device, runs[i]);
    if (refused != cudaSuccess) return refused;
  }
  machine_.noteGraph(nodes.size());
  machine_.trace("launches graph " + deviceName(stream->device) + " " + std::to_string(nodes.size()));
  Clock begin = stream->clock;
  join(begin, instance.last);
  for (size_t i = 0; i < nodes.size(); ++i) {
    Stream* own = instance.streams[i];
    join(own->clock, begin);
    for (const size_t before : nodes[i].after) join(own->clock, instance.streams[before]->clock);
    machine_.streams.push(own, nodes[i].name, std::move(runs[i]));
  }
  for (const Stream* own : instance.streams) join(stream->clock, own->clock);
  instance.last = stream->clock;
  return cudaSuccess;
}

cudaError_t Graphs::find(const GraphInstance& instance, cudaGraphNode_t node, size_t& index) {
  const std::string call = "cudaGraphExecKernelNodeSetParams";
  const std::vector<Node>& nodes = instance.graph->nodes;
  for (index = 0; index < nodes.size(); ++index) {
    if (nodes[index].id != reinterpret_cast<uintptr_t>(node)) continue;
    if (instance.graph->destroyed) {
      return machine_.refuse(cudaErrorInvalidValue, call + " with a node of a graph that was destroyed");
    }
    if (nodes[index].isKernel) return cudaSuccess;
    return machine_.refuse(cudaErrorInvalidValue, call + " of a node that is no launch of a kernel");
  }
  return machine_.refuse(cudaErrorInvalidValue, call + " with a node of another graph");
}

void Graphs::destroy(GraphInstance* instance) {
  for (Stream* stream : instance->streams) machine_.streams.destroy(stream);
  delete instance;
}

}  // namespace alexnet::simulator
