// A segment's operations as one CUDA graph, and when that graph is of use.
#pragma once

#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "../core/segment.h"
#include "gpu_context.h"
#include "runtime/graph.h"

namespace alexnet::cuda {

// On the device's thread, but for its end.
class SegmentGraph final : public Segment::Compiled {
 public:
  // Whether the operations are to be launched one after the other, for good.
  bool isRefused() const { return isRefused_; }
  void refuse();
  // Whether there is a graph that can be launched as things are.
  bool isCurrent(const GpuContext& context) const { return graph_ && scratchMoves_ == context.scratchMoves(); }
  // Captures what `launch` does for each operation; refuses itself where a graph saves nothing. Fails as Graph does, and
  // with ScratchTooSmall.
  template <class Launch>
  void capture(const Segment& segment, uint32_t step, int gpu, GpuContext& context, const Launch& launch);
  // Launches it on the compute stream, with `step` in its dropouts.
  void launch(uint32_t step, GpuContext& context);

 private:
  bool isRefused_ = false;
  std::unique_ptr<Graph> graph_;
  uint64_t scratchMoves_ = 0;  // of the context when it was captured
  uint32_t step_ = 0;          // that its dropouts have
  std::vector<std::pair<const Dropout*, cudaGraphNode_t>> dropouts_;
  std::set<Buffer*> written_;  // held by the segment
};

template <class Launch>
void SegmentGraph::capture(const Segment& segment, uint32_t step, int gpu, GpuContext& context, const Launch& launch) {
  constexpr size_t kFewest = 2;  // launches and copies
  graph_.reset();
  dropouts_.clear();
  const GpuContext::Capturing capturing(context);
  WriteLog log;
  graph_ = std::make_unique<Graph>(gpu, context.streams(), [&] {
    for (const AnyOperation& operation : segment.operations) {
      launch(operation);
      const auto* const dropout = std::get_if<Dropout>(&operation);
      if (dropout) dropouts_.emplace_back(dropout, Graph::last(context.stream()));
    }
  });
  if (graph_->size() < kFewest) return refuse();
  scratchMoves_ = context.scratchMoves();
  step_ = step;
  written_ = std::move(log.written);
}

}  // namespace alexnet::cuda
