// What streams are given while they are captured.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace alexnet::simulator {

struct Stream;

struct Node {
  uint64_t id = 0;  // of all graphs' nodes
  int device = 0;
  bool isKernel = false;
  std::string name;
  std::function<void()> run;
  std::set<size_t> after;  // nodes
};

// A capture under way, and afterwards its graph.
struct Capture {
  Stream* origin = nullptr;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  std::thread::id thread;
  std::set<Stream*> streams;
  std::vector<Node> nodes;
  bool ended = false;
  bool destroyed = false;                     // as a graph: its nodes have no names any more
  std::vector<cudaGraphNode_t> dependencies;  // what cudaStreamGetCaptureInfo answered last
  std::string invalid;                        // why it is of no use, if it is
};

}  // namespace alexnet::simulator
