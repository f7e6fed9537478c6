#include "segment_graph.h"

#include "kernels/operations.h"

namespace alexnet::cuda {
namespace {

// For launches whose arguments go to a node of a graph.
class NodeContext final : public Context {
 public:
  NodeContext(GpuContext& context, GraphNode node) : context_(context), node_(node) {}

  cudaStream_t stream() const override { return context_.stream(); }
  const Limits& limits() const override { return context_.limits(); }
  void* scratch(size_t bytes) override { return context_.scratch(bytes); }
  const GraphNode* node() const override { return &node_; }

 private:
  GpuContext& context_;
  const GraphNode node_;
};

}  // namespace

void SegmentGraph::refuse() {
  isRefused_ = true;
  graph_.reset();
}

void SegmentGraph::launch(uint32_t step, GpuContext& context) {
  if (step != step_) {
    for (const auto& [recorded, node] : dropouts_) {
      Dropout operation = *recorded;
      operation.step = step;
      NodeContext target(context, graph_->at(node));
      dropout(operation, target);
    }
    step_ = step;
  }
  for (Buffer* const buffer : written_) buffer->version.fetch_add(1, std::memory_order_relaxed);
  graph_->launch(context.stream());
}

}  // namespace alexnet::cuda
